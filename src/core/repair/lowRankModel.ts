// A model whose matrices are moved by U diag(s) Vᵀ, factors drawn once from a seed. The moved model is float32 and is
// always written anew from the stored base: taking a perturbation back by subtracting it is inexact (in bf16 it
// leaves up to half a unit of the last place per step and matrix entry), leaving it out of the next pass is exact.
// Vectors (norm gains, biases) stay: a direction of rank r has no meaning there.

import { EngineError } from '../errors.ts'
import { widen } from '../kernels/elementwise/elementwise.ts'
import { lowRankUpdate } from '../kernels/lowRankUpdate/lowRankUpdate.ts'
import { DeviceModel, paddedCount } from '../model/deviceModel.ts'
import type { WeightSpec } from '../model/families/family.ts'
import { Random } from '../tensors/random.ts'
import { REPAIR_STREAMS } from './repairProbes.ts'

/** U (M,r) and V (r,N) of one matrix, both row-major, standard normal. */
export interface Factors {
  name: string
  M: number
  N: number
  u: Float32Array
  v: Float32Array
}

/** Factors of each matrix of `specs`; the same for one seed whatever other matrices there are. */
export function drawFactors(specs: readonly WeightSpec[], rank: number, seed: number): Factors[] {
  if (!Number.isInteger(rank) || rank < 1)
    throw new EngineError('request-invalid', `rank: expected a whole number from 1, found ${rank}`)
  return specs.flatMap(({ name, shape }, index) => {
    if (shape.length !== 2) return []
    const [M, N] = shape
    // A stream per tensor: 2^20 tensors before it meets the next purpose's numbers.
    const random = new Random(seed, REPAIR_STREAMS.factors * 2 ** 20 + index)
    return [{ name, M, N, u: random.normals(M * rank), v: random.normals(rank * N) }]
  })
}

interface Placed {
  name: string
  M: number
  N: number
  u: GPUBuffer
  v: GPUBuffer
  /** of its τ in the shared buffer, bytes */ offset: number
}

export class LowRankModel {
  /** float32, as last written */
  readonly model: DeviceModel
  readonly rank: number
  /** numbers of s: r for each matrix */
  readonly size: number
  private readonly base: DeviceModel
  private readonly placed: Placed[]
  private readonly tau: GPUBuffer
  private readonly stride: number

  /** `base` stays the caller's and must not change while this is in use. */
  constructor(base: DeviceModel, rank: number, seed: number) {
    const { gpu } = base
    this.base = base
    this.rank = rank
    const specs = [...base.tensors.values()].map(({ spec }) => spec)
    const factors = drawFactors(specs, rank, seed)
    this.size = factors.length * rank
    // Bindings start at multiples of 256 bytes.
    this.stride = Math.ceil(rank / 64) * 64
    this.tau = gpu.createBuffer(factors.length * this.stride * 4, 'τ')
    this.placed = factors.map(({ name, M, N, u, v }, i) => ({
      name,
      M,
      N,
      u: gpu.upload(u),
      v: gpu.upload(v),
      offset: i * this.stride * 4,
    }))
    this.model = new DeviceModel(gpu, base.config, 'f32')
    const moved = new Set(factors.map(({ name }) => name))
    for (const { spec, count } of base.tensors.values())
      if (!moved.has(spec.name))
        gpu.run(
          widen,
          { count: paddedCount(count) },
          { weight: base.buffer(spec.name), out: this.model.buffer(spec.name) },
          base.type,
        )
    this.write(new Float64Array(this.size))
  }

  /** Encodes θ(s) = base + U diag(s) Vᵀ into `model`, one pass over the matrices. */
  write(s: Float64Array): void {
    const { gpu } = this.base
    const { rank, stride } = this
    const values = new Float32Array(this.placed.length * stride)
    for (let i = 0; i < this.placed.length; i++) values.set(s.subarray(i * rank, (i + 1) * rank), i * stride)
    gpu.write(this.tau, values)
    for (const { name, M, N, u, v, offset } of this.placed)
      gpu.run(
        lowRankUpdate,
        { M, N, R: rank, scale: 1 },
        {
          base: this.base.buffer(name),
          u,
          v,
          tau: { buffer: this.tau, offset, size: rank * 4 },
          out: this.model.buffer(name),
        },
        this.base.type,
      )
  }

  /** Frees the moved model and the factors. */
  dispose(): void {
    this.model.dispose()
    this.tau.destroy()
    for (const { u, v } of this.placed) {
      u.destroy()
      v.destroy()
    }
  }
}
