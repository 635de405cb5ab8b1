// SCE (Wan et al., FuseChat, arXiv 2408.07990; mergekit `sce`), by tensor: select the int(select_topk · N) weights of
// largest variance between task vectors, N those that vary at all; calculate e_k = mean τ̂_k² over Σ e; erase entries
// whose sign is not that of Σ τ̂; θ = θ_0 + Σ e_k τ̂_k / Σ e_k over what agrees.

import { EngineError } from '../../../errors.ts'
import { countSigns } from '../../../kernels/elect/elect.ts'
import { MODELS_PER_SPREAD, modelSpread } from '../../../kernels/modelSpread/modelSpread.ts'
import { keepWindow, NO_SELECTOR, SPREAD_ALL } from '../../../kernels/sparsify/sparsify.ts'
import { defineMethod, type TensorTask } from '../../method.ts'
import { numberOf } from '../../parameters.ts'
import { encodeTaskVectorSum } from '../../taskVectors.ts'
import { chunksOf, encodeNothing, encodeSelect, type Keep, keptNorms } from '../../taskVectorsKeep.ts'
import { declaration } from './declaration.ts'

/** Energies below this count as none, divisors are at least this: mergekit's choice. */
const LEAST = 1e-6

/** Variance of the models at each element (padded, float32). */
function encodeSpread(task: TensorTask): GPUBuffer {
  const { gpu, models, padded: count, type } = task
  const values = task.scratch(count * 4)
  const groups = Math.ceil(models.length / MODELS_PER_SPREAD)
  const carry = task.scratch(groups > 1 ? 2 * count * 4 : 16)
  for (let g = 0; g < groups; g++) {
    const own = models.slice(g * MODELS_PER_SPREAD, (g + 1) * MODELS_PER_SPREAD)
    const buffers: Record<string, GPUBuffer> = {}
    for (let j = 0; j < MODELS_PER_SPREAD; j++) buffers[`m${j}`] = own[j] ?? gpu.unused
    gpu.run(
      modelSpread,
      {
        count,
        models: own.length,
        all: models.length,
        continued: g > 0 ? 1 : 0,
        finish: g === groups - 1 ? 1 : 0,
      },
      { pivot: models[0], ...buffers, carry, values },
      type,
    )
  }
  return values
}

/** Bits, for all models alike, of the share of varying elements that vary most. */
async function selectSpread(task: TensorTask, share: number): Promise<Keep> {
  const { gpu, count, padded } = task
  const values = encodeSpread(task)
  const { chunkSize, chunks } = chunksOf(padded)
  const partial = task.scratch(chunks * 8)
  gpu.run(countSigns, { count: padded, chunkSize, chunks }, { x: values, partial })
  const varying = (await gpu.readWords(partial, chunks * 2)).reduce((a, b) => a + b, 0)
  const picks = encodeSelect(task, [
    { values: { model: values, type: 'f32', count }, ranks: [Math.floor(share * varying)] },
  ])
  const keep = encodeNothing(task)
  gpu.run(
    keepWindow,
    { count: padded, minusBase: 0, spread: SPREAD_ALL, outer: 0, inner: NO_SELECTOR },
    { model: values, base: gpu.unused, picks, keep: keep.buffer },
  )
  return keep
}

export const method = defineMethod({
  declaration,
  async merge(task) {
    const share = numberOf(task.parameters, 'select_topk')
    const keep = share < 1 ? await selectSpread(task, share) : undefined
    const energies = (await keptNorms(task, 2, keep)).map(({ kept }) => kept / task.count)
    const total = energies.reduce((a, b) => a + b, 0)
    if (!Number.isFinite(total))
      throw new EngineError('not-finite', `found energies ${energies.join(', ')}, expected numbers`, {
        tensor: task.name,
      })
    const shares = energies.map((energy) => (total < LEAST ? 1 / energies.length : energy / total))
    encodeTaskVectorSum(task, {
      keep,
      choice: { by: 'election', votes: shares.map(() => 1) },
      coefficients: shares,
      scale: (chosen) =>
        1 /
        Math.max(
          LEAST,
          shares.reduce((sum, own, k) => (chosen[k] ? sum + own : sum), 0),
        ),
    })
  },
})
