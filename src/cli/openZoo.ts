// A zoo folder on the local disk as a session: index, probes and every model on the device.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readProbes } from '../core/evaluate/probes.ts'
import { openCheckpoint } from '../core/files/checkpoint.ts'
import { Gpu } from '../core/gpu/device.ts'
import { Session } from '../core/session/session.ts'
import { nodeFolder } from './nodeFolder.ts'
import { nodeGpu } from './nodeGpu.ts'
import { readIndex, type ZooIndex } from './resultsPlan.ts'

/**
 * Loads all models of `zoo` under their ids, on `shared` or on a device opened for them; the caller disposes of the
 * session and closes the device.
 */
export async function openZoo(
  zoo: string,
  shared?: Gpu,
): Promise<{ gpu: Gpu; session: Session; index: ZooIndex }> {
  const readJson = async (name: string): Promise<unknown> =>
    JSON.parse(await readFile(join(zoo, name), 'utf8'))
  const index = readIndex(await readJson('index.json'))
  const probes = readProbes(await readJson(index.probes), index.probes)
  const gpu = shared ?? (await Gpu.open(await nodeGpu()))
  if (!shared) console.error(`adapter: ${gpu.summary.adapter}`)
  const session = new Session(gpu, probes)
  for (const { id } of index.models)
    await session.load(id, await openCheckpoint(await nodeFolder(join(zoo, id))))
  return { gpu, session, index }
}
