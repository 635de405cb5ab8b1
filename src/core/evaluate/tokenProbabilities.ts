// How likely each token of a text is to several models, teacher-forced: its log-probability, its rank, what they would
// rather have said, and how far each model's whole distribution lies from the first one's. The losses are taken on the
// device; ranks and alternatives need the logits, which are read back a bounded piece at a time.

import { EngineError, throwIfCancelled } from '../errors.ts'
import { crossEntropy } from '../kernels/crossEntropy/crossEntropy.ts'
import { Batch, type Sequence } from '../model/batch.ts'
import type { DeviceModel } from '../model/deviceModel.ts'
import { type ForwardResult, forward } from '../model/forward.ts'
import { headLogits, logitStride, releaseHead } from '../model/head.ts'
import { scratch } from '../model/linear.ts'

export interface Alternative {
  id: number
  /** nats */ logProbability: number
}

/** One model's view of the R targets of a sequence. */
export interface TokenScores {
  /** (R), nats, ≤ 0 */ logProbabilities: number[]
  /** (R), 1 is the likeliest; equals rank by their id */ ranks: number[]
  /** (R), likeliest first */ alternatives: Alternative[][]
  /** (R), KL(model ‖ first model), nats */ divergences: number[]
}

export interface TokenScoreOptions {
  /** alternatives of each position; default 5 */ alternativeCount?: number
  /** most bytes of one model's logits that are read at once; default 16 MiB */ pieceBytes?: number
  signal?: AbortSignal | undefined
  /** in positions × models */ onProgress?: ((done: number, total: number) => void) | undefined
}

/**
 * Scores of one sequence's targets by each model, in their order; models share vocabulary and device. `not-finite` for
 * a model that gives no probability, named by `names`; `request-invalid` without targets; `cancelled`.
 */
export async function scoreTokens(
  models: readonly DeviceModel[],
  names: readonly string[],
  sequence: Sequence & { firstTarget: number },
  options: TokenScoreOptions = {},
): Promise<TokenScores[]> {
  const { alternativeCount = 5, pieceBytes = 16 * 2 ** 20, signal, onProgress } = options
  const R = sequence.ids.length - sequence.firstTarget
  if (R < 1) throw new EngineError('request-invalid', 'a text without tokens has no probabilities')
  const found = models.map(
    (): TokenScores => ({ logProbabilities: [], ranks: [], alternatives: [], divergences: [] }),
  )
  const passes: { batch: Batch; pass: ForwardResult }[] = []
  try {
    for (const model of models) {
      throwIfCancelled(signal)
      const batch = new Batch(model.gpu, model.config, [sequence])
      passes.push({ batch, pass: forward(model, batch, { keep: false }) })
      // What is encoded at once stays small, so that a cancel is heard.
      await model.gpu.idle()
    }
    const size = Math.max(1, Math.floor(pieceBytes / (4 * logitStride(models[0]))))
    for (let first = 0; first < R; first += size) {
      const count = Math.min(size, R - first)
      let origin: Piece | undefined
      for (const [m, model] of models.entries()) {
        throwIfCancelled(signal)
        const piece = await readPiece(model, passes[m].batch, passes[m].pass.stream, first, count)
        for (let r = 0; r < count; r++) {
          const target = passes[m].batch.hostTargetIds[first + r]
          const where = `${names[m]}, token ${first + r + 1} of ${R}`
          scoreRow(found[m], piece, r, target, alternativeCount, origin, where)
        }
        if (m === 0) origin = piece
        onProgress?.(first * models.length + (m + 1) * count, R * models.length)
      }
    }
    return found
  } finally {
    for (const { batch, pass } of passes) {
      pass.release()
      batch.release()
    }
  }
}

/** Logits (count, stride) of some targets and their losses (count). */
interface Piece {
  logits: Float32Array
  losses: Float32Array
  stride: number
  V: number
}

async function readPiece(
  model: DeviceModel,
  batch: Batch,
  stream: GPUBuffer,
  first: number,
  count: number,
): Promise<Piece> {
  const { gpu, config } = model
  const V = config.vocabSize
  const stride = logitStride(model)
  const rows = scratch(gpu, count)
  const targets = scratch(gpu, count)
  const loss = scratch(gpu, count)
  gpu.write(rows, batch.hostTargetRows.slice(first, first + count))
  gpu.write(targets, batch.hostTargetIds.slice(first, first + count))
  const head = headLogits(model, stream, rows, count)
  try {
    gpu.run(
      crossEntropy,
      { R: count, V, stride, rowsPerY: count, gradient: 0, cap: config.logitCap },
      { logits: head.logits, targets, scale: gpu.unused, loss },
    )
    return {
      logits: await gpu.readFloats(head.logits, count * stride),
      losses: await gpu.readFloats(loss, count),
      stride,
      V,
    }
  } finally {
    releaseHead(model, head)
    gpu.pool.release(rows, targets, loss)
  }
}

function scoreRow(
  into: TokenScores,
  piece: Piece,
  r: number,
  target: number,
  alternativeCount: number,
  origin: Piece | undefined,
  where: string,
): void {
  const row = rowOf(piece, r)
  const loss = piece.losses[r]
  const normaliser = logSumExp(row)
  if (!Number.isFinite(loss) || !Number.isFinite(normaliser))
    throw new EngineError('not-finite', `${where}: the loss is ${loss}, the weights are ruined`)
  // A loss of −1e−8 is rounding, and would print as more than certain.
  into.logProbabilities.push(Math.min(0, -loss))
  into.ranks.push(rankOf(row, target))
  into.alternatives.push(
    likeliest(row, alternativeCount).map((id) => ({ id, logProbability: row[id] - normaliser })),
  )
  into.divergences.push(origin ? divergence(row, normaliser, rowOf(origin, r)) : 0)
}

const rowOf = ({ logits, stride, V }: Piece, r: number) => logits.subarray(r * stride, r * stride + V)

/** log Σ e^x in float64. */
function logSumExp(row: Float32Array): number {
  let top = Number.NEGATIVE_INFINITY
  for (let v = 0; v < row.length; v++) if (!(row[v] <= top)) top = row[v]
  let sum = 0
  for (let v = 0; v < row.length; v++) sum += Math.exp(row[v] - top)
  return top + Math.log(sum)
}

/** Σ p log(p/q) ≥ 0, p the softmax of `row` and q that of `origin`. */
function divergence(row: Float32Array, normaliser: number, origin: Float32Array): number {
  const other = logSumExp(origin)
  let sum = 0
  for (let v = 0; v < row.length; v++) {
    const logP = row[v] - normaliser
    sum += Math.exp(logP) * (logP - (origin[v] - other))
  }
  return Math.max(0, sum)
}

function rankOf(row: Float32Array, target: number): number {
  let rank = 1
  for (let v = 0; v < row.length; v++)
    if (row[v] > row[target] || (row[v] === row[target] && v < target)) rank++
  return rank
}

/** Ids of the `count` largest, largest first, equals by id. */
function likeliest(row: Float32Array, count: number): number[] {
  const best: number[] = []
  for (let v = 0; v < row.length; v++) {
    if (best.length === count && row[v] <= row[best[count - 1]]) continue
    let place = best.length
    while (place > 0 && row[best[place - 1]] < row[v]) place--
    best.splice(place, 0, v)
    if (best.length > count) best.pop()
  }
  return best
}
