// What merging costs beside a device copy of the same traffic: moving λ_align along a known direction, writing the
// closed form anew, the linear merge, TIES; the last two also beside a plain loop on the host.

import type { Gpu } from '../src/core/gpu/device.ts'
import { blendModels } from '../src/core/kernels/blendModels/blendModels.ts'
import { slideMerge } from '../src/core/kernels/slideMerge/slideMerge.ts'
import { runMerge } from '../src/core/merge/execute.ts'
import { methodOf } from '../src/core/merge/methods/registry.ts'
import { completeParameters } from '../src/core/merge/parameters.ts'
import { Random } from '../src/core/tensors/random.ts'
import { type BenchTable, formatMs, formatRatio, timeBatchMs, timeMs } from './timing.ts'

/** One tensor: 16 MiB of float32, or 4 MiB where 32 rows of A stand beside it. */
const LARGE = 2 ** 22
const SMALL = 2 ** 20
const ROWS = 32
/** Times a copy of the same traffic. */
const SLIDE_TARGET = 2
const BLEND_TARGET = 1.3

export async function benchMerge(gpu: Gpu): Promise<BenchTable> {
  const table: BenchTable = {
    title: `Merging one tensor, float32: ${LARGE / 2 ** 20} M weights, ${SMALL / 2 ** 20} M with rows of A`,
    header: ['step', 'time', 'traffic', 'of a copy', 'host loop', 'of the host loop'],
    rows: [],
    notes: [
      'Traffic: bytes read and written; “of a copy”: time against a device copy that reads and writes as many.',
    ],
    missed: [],
  }
  const random = new Random(7)
  const made: GPUBuffer[] = []
  const buffer = (count: number) => {
    const block = random.normals(2 ** 16)
    const values = new Float32Array(count)
    for (let start = 0; start < count; start += block.length)
      values.set(block.subarray(0, Math.min(block.length, count - start)), start)
    const held = gpu.upload(values)
    made.push(held)
    return held
  }
  const [base, x, y, z, out] = [0, 1, 2, 3, 4].map(() => buffer(LARGE))
  const rows = buffer(SMALL * ROWS)
  const metric = gpu.upload(new Float32Array(SMALL).fill(1.5))
  const b = gpu.upload(random.normals(ROWS))
  made.push(metric, b)
  const idle = () => gpu.idle()
  const megabyte = 2 ** 20
  const bandwidth = (2 * LARGE * 4) / (await timeBatchMs(() => gpu.copy(x, out, LARGE * 4), idle))
  const add = (label: string, ms: number, bytes: number, target?: number, hostMs?: number) => {
    const ratio = ms / (bytes / bandwidth)
    table.rows.push([
      label,
      formatMs(ms),
      `${(bytes / megabyte).toFixed(0)} MiB`,
      formatRatio(ratio),
      hostMs === undefined ? '–' : formatMs(hostMs),
      hostMs === undefined ? '–' : formatRatio(ms / hostMs),
    ])
    if (target !== undefined && ratio > target)
      table.missed.push(`${label}: ${ratio.toFixed(2)} × a copy, target ${target}`)
  }
  table.notes.push(`A device copy moves ${((bandwidth * 1000) / 1e9).toFixed(1)} GB/s, read and written.`)

  add(
    'λ_align or λ_bud, direction known',
    await timeBatchMs(
      () => gpu.run(slideMerge, { count: LARGE, share: 0.5 }, { bar: x, direction: y, out }),
      idle,
    ),
    3 * LARGE * 4,
    SLIDE_TARGET,
  )
  const none = { m2: gpu.unused, m3: gpu.unused, carry: gpu.unused }
  const shielded = {
    count: SMALL,
    models: 2,
    first: 1,
    rows: ROWS,
    stride: SMALL,
    w0: 0.5,
    w1: 0.5,
    w2: 0,
    w3: 0,
  }
  add(
    `λ_k, m or w: two experts, ${ROWS} rows of A`,
    await timeBatchMs(
      () => gpu.run(blendModels, shielded, { ...none, m0: x, m1: y, a: rows, metric, b, out }),
      idle,
    ),
    (2 + ROWS + 1 + 1) * SMALL * 4,
    BLEND_TARGET,
  )
  for (const { method, parameters } of [
    { method: 'linear', parameters: {} },
    { method: 'ties', parameters: { density: 0.2 } },
  ]) {
    const models = [x, y, z]
    const ms = await timeMs(async () => {
      await mergeTensor(gpu, method, parameters, { base, models, out })
      await gpu.idle()
    }, 3)
    const host = await hostInputs(gpu, [base, x, y, z], LARGE)
    const hostMs = await timeMs(async () => (method === 'linear' ? hostLinear(host) : hostTies(host, 0.2)), 2)
    const reads = method === 'linear' ? 3 : 4
    add(
      method === 'linear' ? 'linear, three experts' : 'TIES, three experts, density 0.2',
      ms,
      (reads + 1) * LARGE * 4,
      undefined,
      hostMs,
    )
  }
  for (const held of made) held.destroy()
  return table
}

async function mergeTensor(
  gpu: Gpu,
  id: string,
  parameters: Record<string, number>,
  buffers: { base: GPUBuffer; models: GPUBuffer[]; out: GPUBuffer },
): Promise<void> {
  const method = methodOf(id)
  const weights = buffers.models.map(() => ({ weight: 1 / buffers.models.length }))
  const complete = completeParameters(method.declaration, parameters, weights)
  await runMerge(method, {
    gpu,
    tensors: [{ name: 'w', shape: [LARGE], ...complete }],
    layerCount: 0,
    seed: 1,
    open: () => ({ ...buffers, type: 'f32' }),
  })
}

const hostInputs = (gpu: Gpu, buffers: GPUBuffer[], count: number) =>
  Promise.all(buffers.map((buffer) => gpu.readFloats(buffer, count)))

function hostLinear([, x, y, z]: Float32Array[]): Float32Array {
  const out = new Float32Array(x.length)
  for (let i = 0; i < out.length; i++) out[i] = (x[i] + y[i] + z[i]) / 3
  return out
}

/** Trim by sorting magnitudes, elect by the sum, mean of those that agree. */
function hostTies([base, ...models]: Float32Array[], density: number): Float32Array {
  const count = base.length
  const kept = Math.floor(density * count)
  const deltas = models.map((model) => {
    const delta = model.map((value, i) => value - base[i])
    const threshold = delta.map(Math.abs).sort()[count - kept]
    for (let i = 0; i < count; i++) if (Math.abs(delta[i]) < threshold) delta[i] = 0
    return delta
  })
  const out = new Float32Array(count)
  for (let i = 0; i < count; i++) {
    const total = deltas.reduce((sum, delta) => sum + delta[i], 0)
    let [sum, agreeing] = [0, 0]
    for (const delta of deltas)
      if (total >= 0 ? delta[i] > 0 : delta[i] < 0) {
        sum += delta[i]
        agreeing++
      }
    out[i] = base[i] + sum / Math.max(1, agreeing)
  }
  return out
}
