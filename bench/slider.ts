// What a move of a slider costs on the built-in models: the closed form on the host, the merge on the device, and
// the drift of the stored weights. The geometry is prepared once and not counted.

import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { equalSetup } from '../src/cli/equalSetup.ts'
import { nodeFolder } from '../src/cli/nodeFolder.ts'
import { readProbes } from '../src/core/evaluate/probes.ts'
import { openCheckpoint } from '../src/core/files/checkpoint.ts'
import type { Gpu } from '../src/core/gpu/device.ts'
import { measureDrift, solve } from '../src/core/session/geometry.ts'
import { Session } from '../src/core/session/session.ts'
import type { BenchTable } from './timing.ts'

const ROUNDS = 9

/** Median wall time in milliseconds. */
async function median(work: (round: number) => Promise<void>): Promise<number> {
  const times: number[] = []
  await work(0)
  for (let round = 1; round <= ROUNDS; round++) {
    const begun = performance.now()
    await work(round)
    times.push(performance.now() - begun)
  }
  return times.sort((a, b) => a - b)[(ROUNDS - 1) / 2]
}

export async function benchSlider(gpu: Gpu): Promise<BenchTable> {
  const zoo = resolve(import.meta.dirname, '../public/zoo')
  const probes = readProbes(JSON.parse(await readFile(`${zoo}/probes.json`, 'utf8')), 'probes.json')
  const session = new Session(gpu, probes)
  const experts = ['task-sort', 'task-reverse']
  for (const id of ['anchor', ...experts])
    await session.load(id, await openCheckpoint(await nodeFolder(`${zoo}/${id}`)))
  const setup = equalSetup('anchor', experts)
  const begun = performance.now()
  const geometry = await session.prepare(setup)
  const prepared = performance.now() - begun
  const algebra = await median(async (round) => {
    solve(geometry, [0.5, 0.5], round, 8)
  })
  const merge = await median(async (round) => {
    await session.merge({ ...setup, lambdaAlign: round })
    await gpu.idle()
  })
  const average = await median(async () => {
    await session.merge({ ...setup, method: 'linear' })
    await gpu.idle()
  })
  const merged = await session.merge(setup)
  const drift = await median(async () => {
    await measureDrift(geometry, merged, 8)
  })
  session.dispose()
  const row = (label: string, ms: number) => [label, `${ms.toFixed(1)} ms`, `${(ms / average).toFixed(2)} ×`]
  return {
    title: 'A slider step on the built-in models: two experts of 0.3 M parameters, 32 rows of A',
    header: ['step', 'time', 'of the plain average'],
    rows: [
      row('closed form on the host', algebra),
      row('plain average written on the device', average),
      row('AlignMerge written on the device', merge),
      row('drift of the stored weights, three subspaces', drift),
    ],
    notes: [
      `Median of ${ROUNDS} rounds, wall time. Before the first step: geometry prepared in ${(prepared / 1000).toFixed(1)} s.`,
    ],
    missed: [],
  }
}
