// SCE (Wan et al., FuseChat, arXiv 2408.07990; mergekit `sce`), by tensor: select the int(select_topk · N) weights of
// largest variance between task vectors, N those that vary at all; calculate e_k = mean τ̂_k² over Σ e; erase entries
// whose sign is not that of Σ τ̂; θ = θ_0 + Σ e_k τ̂_k / Σ e_k over what agrees.

import { EngineError } from '../../../errors.ts'
import { countSigns } from '../../../kernels/elect/elect.ts'
import { MODELS_PER_SPREAD, modelSpread } from '../../../kernels/modelSpread/modelSpread.ts'
import { keepWindow, NO_SELECTOR, SPREAD_ALL } from '../../../kernels/sparsify/sparsify.ts'
import { findCuts, type MagnitudeCuts } from '../../magnitudeCuts.ts'
import { defineMethod, type PlannedTensor, type TensorPasses, type TensorTask } from '../../method.ts'
import { numberOf } from '../../parameters.ts'
import { encodeTaskVectorSum } from '../../taskVectors.ts'
import {
  chunksOf,
  encodeNothing,
  encodeSelect,
  type Keep,
  measureNorms,
  type Ranked,
} from '../../taskVectorsKeep.ts'
import { declaration } from './declaration.ts'

/** Energies below this count as none, divisors are at least this: mergekit's choice. */
const LEAST = 1e-6

interface Spread {
  /** elements that are kept */
  rank: number
  /** where they end, for a tensor in tiles */
  cuts?: MagnitudeCuts
}

interface Measured {
  spread: Spread | undefined
  shares: number[]
}

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

const spreadOf = (task: TensorTask): Ranked => ({
  model: encodeSpread(task),
  type: 'f32',
  count: task.count,
})

/** How many of the elements that vary at all are kept. */
async function countKept(tensor: TensorPasses, share: number): Promise<number> {
  let varying = 0
  await tensor.forEachTile(async (task) => {
    const { gpu, padded } = task
    const { chunkSize, chunks } = chunksOf(padded)
    const partial = task.scratch(chunks * 8)
    gpu.run(countSigns, { count: padded, chunkSize, chunks }, { x: encodeSpread(task), partial })
    varying += (await gpu.readWords(partial, chunks * 2)).reduce((a, b) => a + b, 0)
  })
  return Math.floor(share * varying)
}

/** Bits, for all models alike, of the elements that vary most. */
function selectSpread(task: TensorTask, { rank, cuts }: Spread): Keep {
  const { gpu, padded } = task
  const spread = spreadOf(task)
  const values = spread.model
  const picks =
    cuts?.encode(task, [{ ranks: [rank], values: () => spread }]) ??
    encodeSelect(task, [{ ranks: [rank], values: spread }])
  const keep = encodeNothing(task)
  gpu.run(
    keepWindow,
    { count: padded, minusBase: 0, spread: SPREAD_ALL, outer: 0, inner: NO_SELECTOR },
    { model: values, base: gpu.unused, picks, keep: keep.buffer },
  )
  return keep
}

const keepOf = (task: TensorTask, spread: Spread | undefined): Keep | undefined =>
  spread && selectSpread(task, spread)

async function measureSpread(tensor: TensorPasses): Promise<Spread | undefined> {
  const share = numberOf(tensor.parameters, 'select_topk')
  if (share >= 1) return undefined
  const rank = await countKept(tensor, share)
  if (!tensor.isTiled) return { rank }
  return { rank, cuts: await findCuts(tensor.gpu, tensor.forEachTile, [{ ranks: [rank], values: spreadOf }]) }
}

export const method = defineMethod<undefined, Measured>({
  declaration,
  tiling: { unit: (_: PlannedTensor) => 1, scratch: (models) => models + 6 },
  async measure(tensor) {
    const spread = await measureSpread(tensor)
    const norms = await measureNorms(tensor, 2, (task) => keepOf(task, spread))
    const energies = norms.map(({ kept }) => kept / tensor.total)
    const total = energies.reduce((a, b) => a + b, 0)
    if (!Number.isFinite(total))
      throw new EngineError('not-finite', `found energies ${energies.join(', ')}, expected numbers`, {
        tensor: tensor.name,
      })
    const shares = energies.map((energy) => (total < LEAST ? 1 / energies.length : energy / total))
    return { spread, shares }
  },
  merge(task, _, { spread, shares }) {
    encodeTaskVectorSum(task, {
      keep: keepOf(task, spread),
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
