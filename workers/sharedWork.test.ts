// What both engines do alike, over models that say what a test tells them to.
import { beforeAll, describe, expect, it } from 'vitest'
import type { ForwardModel } from '../src/core/evaluate/forwardModel.ts'
import { GREEDY } from '../src/core/evaluate/sampling.ts'
import { type Checkpoint, openCheckpoint } from '../src/core/files/checkpoint.ts'
import { memoryFolder } from '../src/core/files/folder.ts'
import { TextCodec } from '../src/core/files/tokenizer.ts'
import { ForwardMeasures } from '../src/core/session/measures.ts'
import { measurementKey, originKey } from '../src/share/experimentKey.ts'
import { promptSetDigest } from '../src/share/promptSet.ts'
import { probeFile } from '../src/testing/answeringModels.ts'
import { expectFailure, tinyFiles, tinyId } from '../src/testing/tinyCheckpoint.ts'
import { placeholderExperiment as experiment } from '../src/views/app/placeholderExperiment.ts'
import { answerAll, answerThrough } from './answerWork.ts'
import type { UserProbeSet } from './api/play.ts'
import type { EngineEvent, Experiment, Subject } from './api.ts'
import { type Cast, chatWork } from './chatWork.ts'
import { LabellerSlot } from './labeller.ts'
import { measuringWork } from './measuringWork.ts'
import { pointWork } from './pointWork.ts'
import { promptWork } from './promptWork.ts'
import { SharedContext } from './sharedContext.ts'

const merge: Subject = { kind: 'merge', lambdaAlign: 4 }
const modelIds = [experiment.anchor, ...experiment.experts.map(({ origin }) => origin)].map(originKey)
const [anchor, expert] = modelIds.map((id): Subject => ({ kind: 'model', id }))

let checkpoint: Checkpoint
beforeAll(async () => {
  checkpoint = await openCheckpoint(memoryFolder('tiny', tinyFiles()))
})

/** A model that gives these letters as its answer, whatever it is asked. */
function sayer(words: string): ForwardModel {
  const ids = [...[...words].map(tinyId), tinyId('<|end|>')]
  return {
    kind: 'forward',
    config: checkpoint.config,
    poolHidden: () => Promise.reject(new Error('nobody asked for states')),
    targetLosses: () => Promise.reject(new Error('nobody asked for losses')),
    async generate(prompts, { choose }) {
      if (!choose) return prompts.map(() => ids)
      const said: number[] = []
      for (const id of ids) {
        const logits = new Float32Array(checkpoint.config.vocabSize)
        logits[id] = 1
        said.push(await choose(logits, 0))
      }
      return [said]
    },
  }
}

/** Its anchor says "no.", whatever else it is asked for says "yes.". */
class TestContext extends SharedContext<ForwardModel> {
  readonly events: EngineEvent[] = []
  readonly asked: Subject[] = []

  constructor() {
    super()
    const codec = new TextCodec(checkpoint)
    const session = {
      probes: probeFile([]),
      userProbes: this.userProbes,
      get: () => ({ model: sayer('no.'), codec, checkpoint }),
      load: async () => {},
    }
    this.live = { session, measures: new ForwardMeasures<ForwardModel>(session) }
    this.startAnew((event) => {
      this.events.push(event)
    })
  }

  close(): void {
    this.live = undefined
  }

  async subjectModel(_: Experiment, subject: Subject): Promise<ForwardModel> {
    this.current()
    this.asked.push(subject)
    return sayer(subject === anchor ? 'no.' : 'yes.')
  }
}

describe('sets of prompts', () => {
  const prompts = ['a', 'b', 'c', 'd', 'e']

  it('are answered by each subject in batches, each of which the page is told of', async () => {
    const context = new TestContext()
    const run = { runId: 7, prompts, subjects: [anchor, merge], maxNewTokens: 8 }
    await promptWork(context, 2).answerPrompts(1, experiment, run)
    const told = context.events.filter((event) => event.kind === 'prompts-answered')
    expect(told.map(({ runId, subject, first, answers }) => [runId, subject, first, answers.length])).toEqual(
      [...[0, 1].flatMap((s) => [2, 2, 1].map((count, batch) => [7, s, 2 * batch, count]))],
    )
    const no = { text: 'no.', isEnded: true, verdict: 'refusal' }
    const yes = { text: 'yes.', isEnded: true, verdict: 'compliance' }
    expect(told[0].answers).toEqual([no, no])
    expect(told[5].answers).toEqual([yes])
    const progress = context.events.filter((event) => event.kind === 'progress')
    expect(progress.at(-1)?.progress).toEqual({ jobId: 1, label: 'prompts', done: 10, total: 10 })
  })

  it('are read in their order, and the reading is stopped between them', async () => {
    const context = new TestContext()
    const work = promptWork(context, 2)
    const many = Array.from({ length: 201 }, (_, i) => ({
      prompt: 'a'.repeat(i % 60),
      label: 'safe' as const,
    }))
    const fits = await work.inspectPrompts(1, experiment, many)
    expect(fits.map(({ tokens }) => tokens)).toEqual(many.map(({ prompt }) => prompt.length))
    expect([fits[1].hasRoom, fits[59].hasRoom]).toEqual([true, false])
    const stopped = work.inspectPrompts(2, experiment, many)
    await Promise.resolve()
    context.queue.cancel(2)
    await expectFailure(stopped, 'cancelled')
  })

  it('are taken to measure on under their own digest alone', async () => {
    const context = new TestContext()
    const set: UserProbeSet = { name: 'mine', use: 'add', prompts: [{ prompt: 'a', label: 'safe' }] }
    const digest = await promptSetDigest(set.prompts, set.use)
    const { usePrompts } = promptWork(context, 2)
    await expectFailure(usePrompts('0'.repeat(64), set), 'hash-mismatch')
    expect(context.userProbes.size).toBe(0)
    await usePrompts(digest, set)
    expect(context.userProbes.get(digest)).toBe(set)
  })
})

describe('a chat', () => {
  const turns = [{ role: 'user' as const, content: 'a' }]
  const request = (subjects: Subject[]) => ({
    ...{ chatId: 3, sampling: GREEDY, maxNewTokens: 8 },
    columns: subjects.map((subject) => ({ subject, turns })),
  })

  it('is answered in the order of its columns, whichever of them speak first', async () => {
    const context = new TestContext()
    const castOf = (): Cast => {
      const backends = ['x', 'x', 'x']
      const voices = [anchor, merge, expert].map((subject, c) => ({
        open() {
          backends[c] = `of ${c}`
          return context.subjectModel(experiment, subject)
        },
      }))
      return { voices, groups: [[0, 2], [1], []], backends }
    }
    const found = await chatWork(context, castOf).chat(1, experiment, request([anchor, merge, expert]))
    expect(context.asked).toEqual([anchor, expert, merge])
    expect(found.map(({ subject, text, backend, verdict }) => [subject, text, backend, verdict])).toEqual([
      [anchor, 'no.', 'of 0', 'refusal'],
      [merge, 'yes.', 'of 1', 'compliance'],
      [expert, 'yes.', 'of 2', 'compliance'],
    ])
    const { length } = new TextCodec(checkpoint).encodeChat(turns)
    expect(found[0]).toMatchObject({ isEnded: true, promptTokens: length, maxPositions: 64 })
    const said = context.events.filter((event) => event.kind === 'said')
    expect(said.filter(({ column }) => column === 2).map(({ text, tokens }) => [text, tokens])).toEqual([
      ...['y', 'ye', 'yes', 'yes.', 'yes.'].map((text, i) => [text, i + 1]),
    ])
    expect(said.map(({ column }) => column).lastIndexOf(2)).toBeLessThan(
      said.map(({ column }) => column).indexOf(1),
    )
  })

  it('has the failure of a column in that column', async () => {
    const context = new TestContext()
    const voice = { open: () => context.subjectModel(experiment, anchor) }
    const castOf = (): Cast => ({ voices: [voice, voice], groups: [[0, 1]], backends: ['x', 'x'] })
    const long = [{ role: 'user' as const, content: 'a'.repeat(64) }]
    const { columns, ...rest } = request([anchor, expert])
    const [failed, well] = await chatWork(context, castOf).chat(1, experiment, {
      ...rest,
      columns: [{ ...columns[0], turns: long }, columns[1]],
    })
    expect(failed).toMatchObject({ text: '', ids: [], failure: { code: 'request-invalid' } })
    expect(well).toMatchObject({ text: 'no.' })
    expect(well).not.toHaveProperty('failure')
  })

  it('asks one merge at most', async () => {
    const context = new TestContext()
    const castOf = () => expect.unreachable()
    const asked = chatWork(context, castOf).chat(1, experiment, request([merge, merge]))
    await expectFailure(asked, 'request-invalid')
  })
})

describe('one prompt to all', () => {
  it('is answered by anchor, experts and merge, one after another', async () => {
    const context = new TestContext()
    const job = { signal: new AbortController().signal, report: () => {} }
    const answers = await answerAll(context, job, experiment, 'a', (model, subject, question) =>
      answerThrough(model, 'here', subject, question, job),
    )
    expect(answers.map(({ label, text, backend }) => [label, text, backend])).toEqual([
      ...modelIds.map((id) => [id, 'yes.', 'here']),
      ['merge', 'yes.', 'here'],
    ])
    expect(answers.at(-1)?.subject).toEqual({ kind: 'merge', lambdaAlign: experiment.lambdaAlign })
  })
})

describe('measuring', () => {
  it('sends drift, however it is measured, under the key of its experiment', async () => {
    const context = new TestContext()
    const drift = { own: 1, heldOut: 2, otherSource: 3, total: 4, byLayer: [5] }
    const work = measuringWork(context, new LabellerSlot(), async () => drift)
    await work.measure(1, experiment, merge, ['drift'])
    expect(context.events).toEqual([
      {
        kind: 'measured',
        part: {
          ...{ key: measurementKey(experiment, merge), subject: merge, drift },
          durationMs: expect.any(Number),
        },
      },
    ])
    expect(context.asked).toEqual([])
  })

  it('is refused where the engine is not open, as is what is known of points', async () => {
    const context = new TestContext()
    const { pointTexts, knownAnswers } = pointWork(context)
    expect(await pointTexts(experiment, 'answers', merge)).toBeNull()
    expect(await knownAnswers(experiment, merge)).toEqual([])
    context.close()
    const work = measuringWork(context, new LabellerSlot(), () => expect.unreachable())
    await expectFailure(work.measure(1, experiment, merge, ['drift']), 'device-lost')
    await expectFailure(pointTexts(experiment, 'answers', merge), 'device-lost')
    await expectFailure(knownAnswers(experiment, merge), 'device-lost')
  })
})
