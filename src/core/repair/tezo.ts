// A forward-only polish of a merge (TeZO, arXiv 2501.19057): no backward pass, no optimiser state but r numbers a
// matrix. Descends J' = mean CE of refusals of harmful requests + mean CE of harmless and skill answers on one half
// of the estimating split; the other half decides which step is kept. Redrawing the factors now and then is ours:
// without it only r directions of every matrix are ever tried.

import { EngineError } from '../errors.ts'
import type { ProbeFile } from '../evaluate/probes.ts'
import { sequenceLosses } from '../evaluate/sequenceLosses.ts'
import type { TextCodec } from '../files/tokenizer.ts'
import { Batch, type Sequence } from '../model/batch.ts'
import { DeviceModel } from '../model/deviceModel.ts'
import { targetLosses } from '../model/gradients.ts'
import { Random } from '../tensors/random.ts'
import { LowRankModel } from './lowRankModel.ts'
import { descendLowRank } from './lowRankSteps.ts'
import {
  benignOf,
  completionSequence,
  REPAIR_STREAMS,
  type RepairProbes,
  repairHalves,
} from './repairProbes.ts'

export interface TezoOptions {
  /** r */ rank: number
  steps: number
  /** ρ */ perturbation: number
  /** η of the first step; falls linearly to a tenth of it */ rate: number
  /** β; 0 is plain TeZO */ momentum: number
  /** steps between two draws of U and V; 0: drawn once, as published */ redraw: number
  /** harmful and as many benign pairs per step */ batchPairs: number
  /** steps between two looks at the accepting half */ checkEvery: number
  seed: number
  signal?: AbortSignal | undefined
  onProgress?: ((done: number, total: number) => void) | undefined
}

/** The paper's ρ; the rest found on the built-in models, ours. */
export const TEZO_DEFAULTS = {
  rank: 16,
  steps: 300,
  perturbation: 1e-3,
  rate: 5e-4,
  momentum: 0.9,
  redraw: 0,
  batchPairs: 16,
  checkEvery: 25,
} as const satisfies Partial<TezoOptions>

export interface TezoResult {
  /** the step that was best on the accepting half, in the merge's storage type; the caller's to dispose of */
  model: DeviceModel
  /** mean of the two losses and the slope κ of each step, on that step's pairs */
  trace: { step: number; loss: number; slope: number }[]
  /** J' of the stored model on the accepting half; step 0 is the merge itself */
  checks: { step: number; harmful: number; benign: number; total: number }[]
  bestStep: number
  /** forward passes over a batch of 2 · batchPairs sequences */ forwardPasses: number
}

interface Pairs {
  harmful: Sequence[]
  benign: Sequence[]
}

function pairsOf(codec: TextCodec, probes: RepairProbes): Pairs {
  const sequence = ({ prompt, aligned }: { prompt: string; aligned: string }) =>
    completionSequence(codec, prompt, aligned)
  return { harmful: probes.harmful.map(sequence), benign: benignOf(probes).map(sequence) }
}

const meanOf = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((sum, value) => sum + value, 0) / values.length

/** Polishes `model`, which is left as it is. `request-invalid` for settings out of range, `cancelled`, `not-finite`. */
export async function tezoPolish(
  model: DeviceModel,
  codec: TextCodec,
  probes: ProbeFile,
  options: TezoOptions,
): Promise<TezoResult> {
  const { steps, redraw, batchPairs, checkEvery, seed, signal } = options
  for (const [name, value, least] of [
    ['batchPairs', batchPairs, 1],
    ['checkEvery', checkEvery, 1],
    ['redraw', redraw, 0],
  ] as const)
    if (!Number.isInteger(value) || value < least)
      throw new EngineError(
        'request-invalid',
        `${name}: expected a whole number from ${least}, found ${value}`,
      )
  const halves = repairHalves(probes, seed)
  const [train, accept] = [pairsOf(codec, halves.estimate), pairsOf(codec, halves.accept)]
  const { gpu, config, type } = model
  const result: TezoResult = {
    model: new DeviceModel(gpu, config, type),
    trace: [],
    checks: [],
    bestStep: 0,
    forwardPasses: 0,
  }
  const candidate = new DeviceModel(gpu, config, type)
  const drawn = new Random(seed, REPAIR_STREAMS.batches)
  /** float32, where the current factors start; the merge itself until the first redraw */
  let base = model
  let moved: LowRankModel | undefined
  const check = async (step: number, source: DeviceModel) => {
    candidate.copyFrom(source)
    const harmful = meanOf(await sequenceLosses(candidate, accept.harmful, { signal }))
    const benign = meanOf(await sequenceLosses(candidate, accept.benign, { signal }))
    const total = harmful + benign
    const best = Math.min(...result.checks.map((one) => one.total))
    result.checks.push({ step, harmful, benign, total })
    if (total >= best) return
    result.bestStep = step
    result.model.copyFrom(candidate)
  }
  try {
    await check(0, model)
    const perDraw = redraw === 0 ? steps : redraw
    for (let start = 0; start < steps; start += perDraw) {
      const current = new LowRankModel(base, options.rank, seed + start)
      moved = current
      const s = new Float64Array(current.size)
      let batch: Batch | undefined
      let batchStep = -1
      await descendLowRank(
        s,
        async (at, step) => {
          if (step !== batchStep) {
            batch?.release()
            const pick = (from: Sequence[]) => drawn.shuffle([...from]).slice(0, batchPairs)
            batch = new Batch(gpu, config, [...pick(train.harmful), ...pick(train.benign)])
            batchStep = step
          }
          current.write(at)
          result.forwardPasses++
          return pairLoss(current.model, batch!, Math.min(batchPairs, train.harmful.length))
        },
        {
          ...options,
          steps: Math.min(perDraw, steps - start),
          rate: (step) => options.rate * (1 - (0.9 * (start + step)) / Math.max(1, steps - 1)),
          seed: seed + start,
          onStep: (step, loss, slope) => {
            result.trace.push({ step: start + step + 1, loss, slope })
            options.onProgress?.(start + step + 1, steps)
          },
          afterStep: async (step) => {
            const done = start + step + 1
            if (done % checkEvery !== 0 && done !== steps) return false
            current.write(s)
            await check(done, current.model)
            return false
          },
        },
      ).finally(() => batch?.release())
      current.write(s)
      if (start + perDraw < steps) {
        const next = new DeviceModel(gpu, config, 'f32')
        next.copyFrom(current.model)
        if (base !== model) base.dispose()
        base = next
      }
      current.dispose()
      moved = undefined
    }
    return result
  } catch (error) {
    result.model.dispose()
    throw error
  } finally {
    moved?.dispose()
    candidate.dispose()
    if (base !== model) base.dispose()
  }
}

/** Mean loss of the first `harmful` sequences plus mean loss of the others, each sequence counting alike. */
async function pairLoss(model: DeviceModel, batch: Batch, harmful: number): Promise<number> {
  const losses = await targetLosses(model, batch)
  const means = Array.from({ length: batch.sequenceCount }, (_, s) =>
    meanOf(losses.subarray(batch.rowStarts[s], batch.rowStarts[s + 1])),
  )
  return meanOf(means.slice(0, harmful)) + meanOf(means.slice(harmful))
}
