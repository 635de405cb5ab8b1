// SafeMERGE (Djuhera et al., arXiv 2503.17239) on full weights (ours; the paper merges adapters). Base A is the aligned
// model, V = A − U its difference from the unaligned one, C = V Vᵀ / ‖V‖ SafeLoRA's fast projector. For every matrix and
// expert with Δ = θ_k − A: ρ = cos(CΔ, Δ); where ρ < τ, Δ ← αΔ + (1−α)Δ_safe, Δ_safe = safe − A or 0.
// θ = A + Σ w Δ / Σ w. C is never formed: V(VᵀΔ) or (V Vᵀ)Δ, whichever is smaller.

import { EngineError } from '../../../errors.ts'
import { combine, narrow } from '../../../kernels/elementwise/elementwise.ts'
import { lineGram } from '../../../kernels/lineGram/lineGram.ts'
import { matmul, matmulBackwardInput, matmulBackwardWeight } from '../../../kernels/matmul/matmul.ts'
import { stackRow } from '../../../kernels/mergeRows/mergeRows.ts'
import { defineMethod, type TensorTask } from '../../method.ts'
import { numberOf } from '../../parameters.ts'
import { isMatrix } from '../../spectral.ts'
import { baseOf, encodeWide } from '../../tensorTask.ts'
import { encodeWeightedSum } from '../../weightedSum.ts'
import { declaration } from './declaration.ts'

/** Rows added in one float32 run: products over long columns are sums of such runs. */
const RUN = 256
/** ‖V‖ below which there is no alignment direction. */
const LEAST_DIRECTION = 1e-9

/** Encodes `product` (m, n) = V Vᵀ Δ, of m × n matrices in float32. */
function encodeProjection(task: TensorTask, v: GPUBuffer, delta: GPUBuffer, product: GPUBuffer): void {
  const { gpu } = task
  const [m, n] = task.shape
  const square = task.scratch(Math.ceil(Math.min(m, n) ** 2 / 4) * 16)
  if (n > m) {
    gpu.run(
      matmul,
      { M: m, N: m, K: n, xStride: n, xOffset: 0, yStride: m, yOffset: 0, addResidual: 0 },
      { weight: v, x: v, residual: gpu.unused, y: square },
    )
    gpu.run(
      matmulBackwardInput,
      { M: m, N: m, K: n, dyStride: m, dyOffset: 0, dxStride: n, accumulate: 0 },
      { weight: delta, dy: square, dx: product },
    )
    return
  }
  const runs = Math.ceil(m / RUN)
  const segments = task.scratch((runs + 1) * 4)
  gpu.write(
    segments,
    Uint32Array.from({ length: runs + 1 }, (_, i) => Math.min(i * RUN, m)),
  )
  const groups = task.scratch(8)
  gpu.write(groups, Uint32Array.of(0, runs))
  gpu.run(
    matmulBackwardWeight,
    {
      N: n,
      K: n,
      Z: 1,
      xStride: n,
      xOffset: 0,
      dyStride: n,
      dyOffset: 0,
      power: 1,
      accumulate: 0,
      outRow: 0,
      outStride: Math.ceil((n * n) / 4) * 4,
    },
    { dy: delta, x: v, segments, groups, dWeight: square },
  )
  gpu.run(
    matmul,
    { M: m, N: n, K: n, xStride: n, xOffset: 0, yStride: n, yOffset: 0, addResidual: 0 },
    { weight: square, x: v, residual: gpu.unused, y: product },
  )
}

/** Inner products (2,2) of two float32 tensors. */
async function pairGram(task: TensorTask, pair: GPUBuffer, stride: number): Promise<number[]> {
  const lines = Math.min(16384, Math.ceil(task.count / RUN))
  const partial = task.scratch(lines * 16)
  task.gpu.run(
    lineGram,
    {
      rows: 2,
      stride,
      count: task.count,
      lines,
      lineStep: 1,
      step: lines,
      length: Math.ceil(task.count / lines),
    },
    { rows_: pair, partial },
  )
  const values = await task.gpu.readFloats(partial, lines * 4)
  const sums = [0, 0, 0, 0]
  values.forEach((value, i) => {
    sums[i % 4] += value
  })
  return sums
}

/** ρ of every expert: how much of its change lies along the alignment direction of this matrix. */
async function similarities(task: TensorTask, unaligned: GPUBuffer): Promise<number[]> {
  const { gpu, padded, type } = task
  const base = baseOf(task)
  // Parts of a binding start at 256 bytes.
  const stride = Math.ceil(padded / 64) * 64
  const pair = task.scratch(stride * 8)
  const row = (index: number) => ({ buffer: pair, offset: index * stride * 4, size: padded * 4 })
  const v = task.scratch(padded * 4)
  gpu.run(combine, { count: padded, alpha: 1, beta: -1 }, { a: encodeWide(task, base), b: unaligned, out: v })
  gpu.copy(v, pair, padded * 4)
  gpu.copy(v, pair, padded * 4, 0, stride * 4)
  const [square] = await pairGram(task, pair, stride)
  const found: number[] = []
  const delta = task.scratch(padded * 4)
  const product = task.scratch(padded * 4)
  for (const model of task.models) {
    gpu.run(stackRow, { count: padded, offset: 0, minusBase: 1 }, { model, base, rows: delta }, type)
    encodeProjection(task, v, delta, product)
    gpu.copy(product, pair, row(0).size)
    gpu.copy(delta, pair, row(1).size, 0, row(1).offset)
    const [projected, along, , own] = await pairGram(task, pair, stride)
    const norms = Math.sqrt(projected) * Math.sqrt(own)
    if (!Number.isFinite(norms) || !Number.isFinite(square))
      throw new EngineError('not-finite', 'the alignment direction or a change is not finite', {
        tensor: task.name,
      })
    found.push(Math.sqrt(square) < LEAST_DIRECTION || norms === 0 ? 0 : along / norms)
  }
  return found
}

export const method = defineMethod({
  declaration,
  async merge(task) {
    const weights = task.modelParameters.map((values) => numberOf(values, 'weight'))
    const total = weights.reduce((a, b) => a + b, 0)
    if (total === 0)
      throw new EngineError('request-invalid', 'weights add up to 0, so they cannot be normalised', {
        tensor: task.name,
      })
    const shares = weights.map((weight) => weight / total)
    let safeShare = 0
    if (isMatrix(task)) {
      const unaligned = task.material('unaligned')
      if (!unaligned)
        throw new EngineError('request-invalid', 'SafeMERGE needs the model before alignment', {
          tensor: task.name,
        })
      const tau = numberOf(task.parameters, 'tau')
      const alpha = numberOf(task.parameters, 'alpha')
      const similar = await similarities(task, unaligned)
      similar.forEach((rho, k) => {
        if (!(rho < tau)) return
        safeShare += shares[k] * (1 - alpha)
        shares[k] *= alpha
      })
    }
    const models = [...task.models]
    const all = [...shares]
    const add = (buffer: GPUBuffer, share: number) => {
      if (share === 0) return
      models.push(buffer)
      all.push(share)
    }
    const safe = safeShare === 0 ? undefined : task.material('safe')
    if (safe) {
      // One storage type for all that is summed: what loading the safe model as an expert would have made of it.
      const stored = task.scratch(task.padded * 4)
      task.gpu.run(narrow, { count: task.padded }, { a: safe, out: stored }, task.type)
      add(stored, safeShare)
    }
    const moved = all.reduce((a, b) => a + b, 0)
    add(baseOf(task), Math.abs(1 - moved) < 1e-15 ? 0 : 1 - moved)
    encodeWeightedSum({ ...task, models }, all)
  },
})
