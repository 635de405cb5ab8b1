// AlignMerge as a function of λ_align alone. With equal w_i every alignment coordinate shrinks by the same share,
// θ(λ) = θ̄ + s d,  s = λ/(1 + λ),  d = −G⁻¹Aᵀ b_∞ the hard projection's correction (methods.md §1.3), so that a step of
// the slider reads two rows and writes one, whatever the number of experts and of rows of A. Costs two float32 copies of
// the model on the device while it is held.

import { blendModels } from '../kernels/blendModels/blendModels.ts'
import { slideMerge } from '../kernels/slideMerge/slideMerge.ts'
import { type DeviceModel, paddedCount } from '../model/deviceModel.ts'
import type { ShieldSource } from './method.ts'
import { encodePlainSum } from './weightedSum.ts'

export class Slide {
  private readonly anchor: DeviceModel
  private readonly bar = new Map<string, GPUBuffer>()
  /** only of tensors that the shield moves */
  private readonly direction = new Map<string, GPUBuffer>()

  /** Encodes θ̄ = Σ weights[k] θ_k and d; `hard` is the shield at λ = ∞. */
  constructor(
    anchor: DeviceModel,
    models: readonly DeviceModel[],
    weights: readonly number[],
    hard: ShieldSource | undefined,
  ) {
    this.anchor = anchor
    const { gpu, type } = anchor
    for (const [name, { count: exact }] of anchor.tensors) {
      const count = paddedCount(exact)
      const bar = gpu.createBuffer(count * 4, name)
      const buffers = models.map((model) => model.buffer(name))
      encodePlainSum({ gpu, models: buffers, padded: count, type }, weights, bar)
      this.bar.set(name, bar)
      const shield = hard?.(name)
      if (!shield) continue
      const direction = gpu.createBuffer(count * 4, name)
      const { rows, a, metric, b } = shield
      const none = { m0: gpu.unused, m1: gpu.unused, m2: gpu.unused, m3: gpu.unused, carry: gpu.unused }
      gpu.run(
        blendModels,
        { count, models: 0, first: 1, rows, stride: count, w0: 0, w1: 0, w2: 0, w3: 0 },
        { ...none, a, metric, b, out: direction },
      )
      this.direction.set(name, direction)
    }
  }

  /** Encodes θ(λ) into `out`; λ may be ∞. */
  encode(lambdaAlign: number, out: DeviceModel): void {
    const { gpu, type } = this.anchor
    const share = lambdaAlign === Number.POSITIVE_INFINITY ? 1 : lambdaAlign / (1 + lambdaAlign)
    for (const [name, bar] of this.bar) {
      const direction = this.direction.get(name)
      const count = paddedCount(out.tensor(name).count)
      gpu.run(
        slideMerge,
        { count, share: direction ? share : 0 },
        { bar, direction: direction ?? bar, out: out.buffer(name) },
        type,
      )
    }
  }

  /** Bytes held on the device. */
  get byteLength(): number {
    return [...this.bar.values(), ...this.direction.values()].reduce((sum, { size }) => sum + size, 0)
  }

  dispose(): void {
    this.anchor.gpu.flush()
    for (const buffer of [...this.bar.values(), ...this.direction.values()]) buffer.destroy()
    this.bar.clear()
    this.direction.clear()
  }
}
