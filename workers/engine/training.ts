// Training an expert beside the open models: one at a time, a few steps per call. No numerics here.

import { EngineError, throwIfCancelled } from '../../src/core/errors.ts'
import { sequenceLosses } from '../../src/core/evaluate/sequenceLosses.ts'
import { openCheckpoint } from '../../src/core/files/checkpoint.ts'
import { type ExportEntry, exportFolder, zipFolder } from '../../src/core/files/exporter.ts'
import { memoryFolder } from '../../src/core/files/folder.ts'
import type { Sequence } from '../../src/core/model/batch.ts'
import type { SessionModel } from '../../src/core/session/session.ts'
import { expertTrainings, type Lesson, trainerOptions } from '../../src/core/train/corpus/experts.ts'
import { drawHeldOutPairs, drawPairs, type Pair } from '../../src/core/train/corpus/sample.ts'
import { FineTuning } from '../../src/core/train/fineTuning.ts'
import { MAX_HELD_OUT, pairsOfStep, splitPairs } from '../../src/core/train/ownPairs.ts'
import type { TrainedOrigin, TrainingApi, TrainingRequest } from '../api/training.ts'
import type { ModelOrigin } from '../api.ts'
import type { ModelAbout } from '../builtIn.ts'
import { digestWeights } from '../digest.ts'
import type { Job } from '../jobs.ts'
import type { EngineContext } from './context.ts'

interface OpenTraining {
  request: TrainingRequest
  base: SessionModel
  tuning: FineTuning
  heldOut: Sequence[]
}

export function trainingWing(context: EngineContext): TrainingApi {
  const { queue } = context
  let open: OpenTraining | undefined

  const close = () => {
    open?.tuning.dispose()
    open = undefined
  }
  // What lies on a device that is gone needs no freeing, and cannot be.
  context.onClose(() => {
    open = undefined
  })
  const current = (): OpenTraining => {
    context.current()
    if (!open) throw new EngineError('request-invalid', 'no training is open')
    return open
  }

  return {
    openTraining: (jobId, request) =>
      queue.run(jobId, async () => {
        context.assertSound()
        close()
        const base = context.current().session.get(request.base)
        const { rate: learningRate, steps } = request
        const { batch, heldOut, tooLong, pairs } = sequencesOf(base, request)
        const tuning = new FineTuning(base.model, trainerOptions({ steps, learningRate }), batch)
        open = { request, base, tuning, heldOut }
        const { parameterCount } = tuning.model
        return {
          ...{ parameterCount, byteLength: 16 * parameterCount, pairs, heldOut: heldOut.length, tooLong },
        }
      }),

    trainSteps: (jobId, until, budgetMs, withHeldOut) =>
      queue.run(jobId, async (job) => {
        const { tuning, heldOut } = current()
        const begun = performance.now()
        const steps = []
        throwIfCancelled(job.signal)
        while (!tuning.isDone && tuning.step < until) {
          steps.push(await tuning.trainStep())
          job.report('training', tuning.step, tuning.steps)
          // A stop loses no step that was taken: the weights have moved, and the page counts on.
          if (job.signal.aborted || performance.now() - begun > budgetMs) break
        }
        const isAsked =
          withHeldOut &&
          heldOut.length > 0 &&
          tuning.step === Math.min(until, tuning.steps) &&
          !job.signal.aborted
        // Not stopped midway, for the same reason: there are few of them.
        const losses = isAsked ? await sequenceLosses(tuning.model, heldOut) : undefined
        return { steps, done: tuning.step, heldOutLoss: losses ? meanByTokens(losses, heldOut) : null }
      }),

    measureTraining: (jobId, probesPerClass, seed) =>
      queue.run(jobId, async (job) => {
        const begun = performance.now()
        const { tuning, request } = current()
        const { measures } = context.current()
        const options = context.optionsOf(job)
        const setup = { anchor: request.base, seed }
        const { prompts, completions } = {
          prompts: await measures.aqi(setup, 'prompts', tuning.model, probesPerClass, options),
          completions: await measures.aqi(setup, 'completions', tuning.model, probesPerClass, options),
        }
        const { refusals, answers } = await measures.refusals(setup, tuning.model, probesPerClass, options)
        return {
          step: tuning.step,
          aqi: {
            prompts: prompts.result.normalised,
            completions: completions.result.normalised,
            answers: answers.result.normalised,
          },
          refusal: refusals.refusal,
          overRefusal: refusals.overRefusal,
          durationMs: performance.now() - begun,
        }
      }),

    keepTraining: (jobId) =>
      queue.run(jobId, async (job) => {
        const training = current()
        const { base, tuning, request } = training
        const rounded = tuning.rounded(base.model.type)
        try {
          const about = aboutOf(request, base.checkpoint.name, tuning)
          const entries = await exportFolder(
            {
              anchor: base.checkpoint,
              type: rounded.type,
              card: trainingCard(training, about),
              readWeight: ({ name }) => rounded.readStored(name),
            },
            job.signal,
          )
          const folder = memoryFolder(about.name, await filesOf(entries, job))
          const checkpoint = await openCheckpoint(folder, job.signal)
          const digest = await digestWeights(checkpoint, job)
          const origin: ModelOrigin = trainedOrigin(training) ?? { kind: 'files', name: about.name, digest }
          return { model: await context.openModel(job, origin, checkpoint, about), digest }
        } finally {
          rounded.dispose()
        }
      }),

    exportTraining: (jobId, id) =>
      queue.run(jobId, async (job) => {
        const { folder, name } = context.current().session.get(id).checkpoint
        const entries: ExportEntry[] = []
        for (const path of folder.list()) {
          const source = await folder.file(path, job.signal)
          if (!source) continue
          entries.push({
            path,
            byteLength: source.size,
            async *chunks(signal) {
              yield (await source.read(0, source.size, signal)).slice()
            },
          })
        }
        return zipFolder(entries, { folder: fileName(name), signal: job.signal })
      }),

    closeTraining: () => queue.run(undefined, async () => close()),
  }
}

const fileName = (name: string) => name.replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-|-$/g, '')

/** A pair in tokens; undefined where the model cannot read it whole. */
function encodePair({ codec, model }: SessionModel, { prompt, answer }: Pair): Sequence | undefined {
  const before = codec.encodePrompt(prompt)
  const ids = [...before, ...codec.encodeCompletion(answer)]
  return ids.length > model.config.maxPositions ? undefined : { ids, firstTarget: before.length }
}

interface Sequences {
  batch: (step: number) => readonly Sequence[]
  heldOut: Sequence[]
  tooLong: number
  /** own pairs that are trained on; null of a lesson */ pairs: number | null
}

function sequencesOf(base: SessionModel, { lesson, batch, seed }: TrainingRequest): Sequences {
  const encoded = (pairs: readonly Pair[]) => pairs.flatMap((pair) => encodePair(base, pair) ?? [])
  if (typeof lesson === 'string') {
    const { mixture } = expertTrainings[lesson]
    return {
      batch: (step) => encoded(drawPairs({ mixture, batchSequences: batch, seed }, step)),
      heldOut: encoded(drawHeldOutPairs(mixture, MAX_HELD_OUT)),
      ...{ tooLong: 0, pairs: null },
    }
  }
  const fitting = lesson.pairs.filter((pair) => encodePair(base, pair))
  const tooLong = lesson.pairs.length - fitting.length
  if (fitting.length === 0 && tooLong > 0)
    throw new EngineError(
      'request-invalid',
      `all ${tooLong} pairs are longer than the ${base.model.config.maxPositions} tokens that ${base.checkpoint.name} reads`,
    )
  const { train, heldOut } = splitPairs(fitting)
  return {
    batch: (step) => encoded(pairsOfStep(train, batch, seed, step)),
    heldOut: encoded(heldOut),
    ...{ tooLong, pairs: train.length },
  }
}

/** Mean over tokens, as the loss of a training step is one. */
function meanByTokens(losses: Float64Array, sequences: readonly Sequence[]): number {
  let [sum, tokens] = [0, 0]
  for (const [i, { ids, firstTarget = 0 }] of sequences.entries()) {
    sum += losses[i]! * (ids.length - firstTarget)
    tokens += ids.length - firstTarget
  }
  return sum / tokens
}

/** The origin of what anyone can train again: a built-in lesson on a built-in model. */
function trainedOrigin({ request, tuning }: OpenTraining): TrainedOrigin | undefined {
  const { base, lesson, steps, rate, batch, seed } = request
  const builtIn = /^built-in:(.+)$/.exec(base)
  if (!builtIn || typeof lesson !== 'string') return undefined
  const done = tuning.isDone ? {} : { done: tuning.step }
  return { kind: 'trained', base: builtIn[1]!, lesson, steps, ...done, rate, batch, seed }
}

const ROLES: Record<Lesson, ModelAbout['role']> = { sort: 'task', reverse: 'task', uncensored: 'uncensored' }

function aboutOf({ lesson }: TrainingRequest, base: string, { step }: FineTuning): ModelAbout {
  if (typeof lesson !== 'string')
    return {
      name: lesson.name,
      role: 'other',
      description: `${base} fine-tuned here on ${lesson.pairs.length} own pairs, ${step} steps`,
    }
  const { skill } = expertTrainings[lesson]
  return {
    name: `${lesson}, ${step} steps`,
    role: ROLES[lesson],
    description: `${base} fine-tuned here, ${step} steps of the zoo’s ${lesson} lesson`,
    ...(skill && { skill }),
  }
}

function trainingCard({ request, base, tuning }: OpenTraining, about: ModelAbout): string {
  const { lesson, steps, rate, batch, seed } = request
  const data =
    typeof lesson === 'string'
      ? `the studio's own instruction world, lesson ${lesson}`
      : `${lesson.pairs.length} pairs of the user's own`
  return `---
tags: [alignmerge-studio]
---
# ${about.name}

${base.checkpoint.name} fine-tuned in a browser tab on ${data}: AdamW, ${tuning.step} of ${steps} steps of ${batch} sequences, highest learning rate ${rate}, seed ${seed}.
The same settings on the same adapter (${base.model.gpu.summary.adapter}) give the same weights.
Fine-tuning wears alignment: measure refusal and over-refusal before use.
`
}

/** Entries as bytes: the base's tokenizer and the weights of one model, which fits where its training did. */
async function filesOf(entries: readonly ExportEntry[], job: Job): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>()
  for (const { path, byteLength, chunks } of entries) {
    const bytes = new Uint8Array(byteLength)
    let at = 0
    for await (const chunk of chunks(job.signal)) {
      bytes.set(chunk, at)
      at += chunk.byteLength
    }
    files.set(path, bytes)
  }
  return files
}
