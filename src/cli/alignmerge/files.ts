// Files written so that an interrupted command leaves none half written: beside the target first, then renamed.

import { randomUUID } from 'node:crypto'
import { open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { EngineError } from '../../core/errors.ts'

/** Streams `chunks` into `path`. */
export async function writeWhole(path: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const part = `${path}.${randomUUID().slice(0, 8)}.part`
  try {
    const handle = await open(part, 'w')
    try {
      for await (const chunk of chunks) await handle.writeFile(chunk)
    } finally {
      await handle.close()
    }
    await rename(part, path)
  } catch (error) {
    await rm(part, { force: true })
    if (error instanceof EngineError) throw error
    throw new EngineError('file-missing', `cannot write ${path}: ${(error as Error).message}`)
  }
}

/** What a killed command left beside the files it was writing into a folder that is this one's alone. */
export async function removeParts(folder: string): Promise<void> {
  for (const name of await readdir(folder))
    if (/\.[0-9a-f]{8}\.part$/.test(name)) await rm(join(folder, name), { force: true })
}
