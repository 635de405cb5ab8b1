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
const SHAPES: [number, number, number][] = [
  [512, 512, 512],
  [1536, 320, 64],
  [1536, 896, 64],
]

interface PeerVariant {
  name: string
  l: string
}

/** What the folder of peers exports from bench.mjs. */
interface PeerModule {
  list(M: number, N: number, K: number, subgroup: number): PeerVariant[]
  matmul(
    device: GPUDevice,
    features: string[],
    list: PeerVariant[],
    M: number,
    N: number,
    K: number,
    log: (...cells: unknown[]) => void,
  ): Promise<[name: string, gflops: number | 'n/a', ms: number, error: number][]>
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
    const peer = peers === undefined ? undefined : await bestPeer(gpu, peers, shape)
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

async function measure(
  gpu: Gpu,
  kernel: KernelSpec,
  [M, N, K]: [number, number, number],
): Promise<{ gflops: number; y: Float32Array }> {
  const upload = (count: number, stream: number) => gpu.upload(new Random(3, stream).normals(count))
  const buffers = {
    weight: upload(N * K, 1),
    x: upload(M * K, 2),
    residual: gpu.unused,
    y: gpu.createBuffer(M * N * 4),
  }
  const params = { M, N, K, xStride: K, xOffset: 0, yStride: N, yOffset: 0, addResidual: 0 }
  const ms = await timeBatchMs(
    () => gpu.run(kernel, params, buffers),
    () => gpu.idle(),
  )
  const y = await gpu.readFloats(buffers.y, M * N)
  for (const name of ['weight', 'x', 'y'] as const) buffers[name].destroy()
  return { gflops: (2 * M * N * K) / ms / 1e6, y }
}

async function bestPeer(
  gpu: Gpu,
  folder: string,
  [M, N, K]: [number, number, number],
): Promise<{ name: string; gflops: number }> {
  const path = resolve(process.env.INIT_CWD ?? process.cwd(), folder, 'bench.mjs')
  const peer = (await import(/* @vite-ignore */ pathToFileURL(path).href)) as PeerModule
  // Ours reads float32 weights row by row: only peers that do the same are peers.
  const variants = peer.list(M, N, K, 4).filter(({ name, l }) => l === 'nt' && !/f16|subgroup/.test(name))
  const results = await peer.matmul(gpu.device, [...gpu.device.features], variants, M, N, K, () => {})
  let best = { name: 'none', gflops: 0 }
  for (const [name, gflops, , error] of results)
    if (typeof gflops === 'number' && error < 1e-2 && gflops > best.gflops) best = { name, gflops }
  return best
}
