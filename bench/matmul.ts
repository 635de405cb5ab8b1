// Our linear-layer kernel in GFLOP/s, against the naive kernel and, where a folder of peers is given, the best of
// its variants for weights stored [out, in]. Same device, same run.

import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { relativeNorm } from '../src/core/evaluate/verifyFamily.ts'
import type { Gpu } from '../src/core/gpu/device.ts'
import { matmul } from '../src/core/kernels/matmul/matmul.ts'
import type { KernelSpec } from '../src/core/kernels/spec.ts'
import { Random } from '../src/core/tensors/random.ts'
import { naiveMatmul } from './naive.ts'
import { type BenchTable, formatRatio, timeBatchMs } from './timing.ts'

/** Share of the best peer's speed that ours should reach. */
const TARGET = 0.5
/** M, N, K: a square, and the tallest and the widest layer of a zoo model on 64 sequences of 24 tokens */
const SHAPES: Shape[] = [
  [512, 512, 512],
  [1536, 320, 64],
  [1536, 896, 64],
]

/** One variant of the peers: whole program, layout of the second operand, workgroups. */
interface Peer {
  name: string
  l: string
  code: string
  grid: number[]
}

interface PeerModule {
  list(M: number, N: number, K: number, subgroup: number): Peer[]
}

export async function benchMatmul(gpu: Gpu, peers: string | undefined): Promise<BenchTable> {
  const table: BenchTable = {
    title: 'Matrix product, weights [out, in], float32',
    header: ['M × N × K', 'ours', 'naive', 'ours / naive', 'best peer', 'ours / peer'],
    rows: [],
    notes: [],
    missed: [],
  }
  for (const shape of SHAPES) {
    const [M, N, K] = shape
    const ours = await measure(gpu, matmul, shape)
    const naive = await measure(gpu, naiveMatmul, shape)
    if (!(relativeNorm(ours.y, naive.y) < 1e-5))
      throw new Error(`matmul ${shape} disagrees with the naive kernel`)
    const peer = peers === undefined ? undefined : await bestPeer(gpu, peers, shape, naive.y)
    const ratio = peer && ours.gflops / peer.gflops
    const name = `${M} × ${N} × ${K}`
    table.rows.push([
      name,
      `${ours.gflops.toFixed(1)} GFLOP/s`,
      `${naive.gflops.toFixed(1)} GFLOP/s`,
      formatRatio(ours.gflops / naive.gflops),
      peer ? `${peer.gflops.toFixed(1)} GFLOP/s (${peer.name})` : '–',
      ratio === undefined ? '–' : formatRatio(ratio),
    ])
    if (ratio !== undefined && ratio < TARGET)
      table.missed.push(`matmul ${name}: ${formatRatio(ratio)} the best peer, wanted ${TARGET}`)
  }
  table.notes.push(
    peers === undefined
      ? 'No folder of peers was given: `npm run bench -- FOLDER` adds the best variant in it.'
      : `Target: at least ${TARGET} of the best peer.`,
  )
  return table
}

type Shape = [M: number, N: number, K: number]
const gflops = ([M, N, K]: Shape, ms: number) => (2 * M * N * K) / ms / 1e6

interface Measured {
  gflops: number
  y: Float32Array
}

/** The same numbers for all; `isTransposed` stores the weight as [K, N] for peers that want it so. */
function operands(gpu: Gpu, [M, N, K]: Shape, isTransposed = false) {
  const normals = (count: number, stream: number) => new Random(3, stream).normals(count)
  const weight = normals(N * K, 1)
  const stored = isTransposed ? weight.map((_, i) => weight[(i % N) * K + Math.floor(i / N)]) : weight
  return { x: gpu.upload(normals(M * K, 2)), weight: gpu.upload(stored), y: gpu.createBuffer(M * N * 4) }
}

async function measure(gpu: Gpu, kernel: KernelSpec, shape: Shape): Promise<Measured> {
  const [M, N, K] = shape
  const buffers = { ...operands(gpu, shape), residual: gpu.unused }
  const params = { M, N, K, xStride: K, xOffset: 0, yStride: N, yOffset: 0, addResidual: 0 }
  const ms = await timeBatchMs(
    () => gpu.run(kernel, params, buffers),
    () => gpu.idle(),
  )
  const y = await gpu.readFloats(buffers.y, M * N)
  for (const name of ['weight', 'x', 'y'] as const) buffers[name].destroy()
  return { gflops: gflops(shape, ms), y }
}

/** The fastest variant: a short look at all, a longer one at the best three. */
async function bestPeer(gpu: Gpu, folder: string, shape: Shape, truth: Float32Array) {
  const path = resolve(process.env.INIT_CWD ?? process.cwd(), folder, 'bench.mjs')
  const module = (await import(/* @vite-ignore */ pathToFileURL(path).href)) as PeerModule
  // All float32 variants, also those that want the weights transposed or the adapter's own subgroups.
  const subgroup = gpu.device.adapterInfo?.subgroupMinSize ?? 4
  const peers = module.list(...shape, subgroup).filter(({ name }) => !/f16/.test(name))
  const first: { peer: Peer; gflops: number }[] = []
  for (const peer of peers) {
    const found = await measurePeer(gpu, peer, shape, 2)
    if (found && relativeNorm(found.y, truth) < 1e-5) first.push({ peer, gflops: found.gflops })
  }
  first.sort((a, b) => b.gflops - a.gflops)
  let best = { name: 'none', gflops: 0 }
  for (const { peer } of first.slice(0, 3)) {
    const found = await measurePeer(gpu, peer, shape, 12)
    if (found && found.gflops > best.gflops) best = { name: peer.name, gflops: found.gflops }
  }
  return best
}

/** Undefined when the device refuses the variant. */
async function measurePeer(
  gpu: Gpu,
  peer: Peer,
  shape: Shape,
  rounds: number,
): Promise<Measured | undefined> {
  const { device } = gpu
  const { x, weight, y } = operands(gpu, shape, peer.l === 'nn')
  gpu.flush()
  device.pushErrorScope('validation')
  const module = device.createShaderModule({ code: peer.code })
  const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module, entryPoint: 'main' } })
  const entries = [x, weight, y].map((buffer, binding) => ({ binding, resource: { buffer } }))
  const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries })
  let encoder = device.createCommandEncoder()
  const encode = () => {
    const pass = encoder.beginComputePass()
    pass.setPipeline(pipeline)
    pass.setBindGroup(0, group)
    pass.dispatchWorkgroups(peer.grid[0], peer.grid[1])
    pass.end()
  }
  const idle = async () => {
    device.queue.submit([encoder.finish()])
    encoder = device.createCommandEncoder()
    await device.queue.onSubmittedWorkDone()
  }
  if (await device.popErrorScope()) return undefined
  const ms = await timeBatchMs(encode, idle, rounds)
  const values = await gpu.readFloats(y, shape[0] * shape[1])
  for (const buffer of [x, weight, y]) buffer.destroy()
  return { gflops: gflops(shape, ms), y: values }
}
