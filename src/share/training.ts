// A training in the tab as page and link see it: ranges of its settings, and the origin that names its result.

import type { Lesson, TrainedOrigin } from '../../workers/api/training.ts'
import type { NumberParameter } from './parameters.ts'
import { type Reader, Refusal } from './reader.ts'

export const lessonIds = ['sort', 'reverse', 'uncensored'] as const satisfies readonly Lesson[]

const common = { symbol: '', unit: '', source: 'standard', detail: '' } as const

export const trainingParameters = {
  steps: {
    ...common,
    label: 'Steps',
    min: 10,
    max: 2000,
    default: 100,
    step: 10,
    scale: { kind: 'log' },
    isInteger: true,
    brief: 'Updates of the weights. The built-in experts took 100 to 200 of 64 sequences.',
  },
  rate: {
    ...common,
    label: 'Learning rate',
    symbol: 'η',
    min: 1e-5,
    max: 0.1,
    default: 1e-3,
    step: 1e-4,
    scale: { kind: 'log' },
    isInteger: false,
    brief: 'Highest step size of AdamW; it warms up and falls along a cosine.',
  },
  batch: {
    ...common,
    label: 'Batch',
    min: 4,
    max: 64,
    default: 32,
    step: 4,
    scale: { kind: 'linear' },
    isInteger: true,
    brief: 'Pairs of a step. Half as many take half as long and give a noisier gradient.',
  },
  seed: {
    ...common,
    label: 'Seed',
    min: 0,
    max: 999_999,
    default: 1,
    step: 1,
    scale: { kind: 'linear' },
    isInteger: true,
    brief: 'Starts the draw of pairs: the same seed on the same adapter gives the same weights, bit for bit.',
  },
} as const satisfies Record<string, NumberParameter>

/** What a link says of a model that was trained in a tab. */
export function readTrainedOrigin(reader: Reader, value: unknown, path: string): TrainedOrigin {
  const fields = reader.object(value, path, [
    ...['kind', 'base', 'lesson', 'steps', 'done', 'rate', 'batch', 'seed'],
  ])
  const numberOf = (id: keyof typeof trainingParameters) =>
    reader.number(fields[id], `${path}.${id}`, trainingParameters[id])
  const base = reader.text(fields.base, `${path}.base`, 100)
  if (!/^[\w-]+(\/[\w-]+)?$/.test(base)) throw new Refusal(`${path}.base is no id of a built-in model`)
  const steps = numberOf('steps')
  return {
    kind: 'trained',
    base,
    lesson: reader.choice(
      fields.lesson,
      `${path}.lesson`,
      lessonIds.map((lesson) => ({ value: lesson })),
    ),
    steps,
    ...(fields.done !== undefined && { done: reader.count(fields.done, `${path}.done`, steps - 1) }),
    ...{ rate: numberOf('rate'), batch: numberOf('batch'), seed: numberOf('seed') },
  }
}

/** Text that is equal for equal trainings. */
export const trainedKey = ({ base, lesson, steps, done = steps, rate, batch, seed }: TrainedOrigin): string =>
  `trained:${base}/${lesson}/${done}-of-${steps}/${rate}/${batch}/${seed}`
