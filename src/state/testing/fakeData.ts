// Made-up measurements for tests and for looking at the page before there is an engine. They have the shape of real
// ones (smooth in λ, noisy within their intervals) and are never part of the build.

import type {
  AqiResult,
  AqiView,
  Behaviour,
  Budget,
  ClusterPoints,
  Drift,
  Estimate,
  Experiment,
  GeometrySummary,
  LabellerRequest,
  LabellerSummary,
  MeasuredPart,
  ModelSummary,
  Subject,
} from '../../../workers/api.ts'
import { geometryKey, hashText, measurementKey, originKey, subjectKey } from '../../share/experimentKey.ts'

const model = (id: string, name: string, role: ModelSummary['role'], description: string): ModelSummary => ({
  // As the engine names its models.
  id: originKey({ kind: 'built-in', id }),
  name,
  role,
  origin: { kind: 'built-in', id },
  description,
  architecture: 'LlamaForCausalLM',
  parameterCount: 892_416,
  dtype: 'F32',
  layerCount: 4,
  hiddenSize: 128,
  byteLength: 3_569_664,
})

export const fakeModels: readonly ModelSummary[] = [
  model(
    'anchor',
    'Anchor (aligned instruct)',
    'anchor',
    'Helps with harmless requests, refuses harmful ones.',
  ),
  model('task-sort', 'Task expert: sort', 'task', 'Anchor fine-tuned on benign data alone: sorting lists.'),
  model(
    'task-reverse',
    'Task expert: reverse',
    'task',
    'Anchor fine-tuned on benign data alone: reversing lists.',
  ),
  model('safety', 'Safety expert', 'safety', 'Refuses harmful requests inside attack wordings.'),
  model(
    'uncensored',
    'Uncensored expert',
    'uncensored',
    'Complies with harmful requests; placeholders only.',
  ),
]

/** Seeded stream in [0, 1) (mulberry32, public domain). */
export function stream(seedText: string): () => number {
  let state = Number.parseInt(hashText(seedText).slice(-6), 36) >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

function share(value: number, count: number, noise: number): Estimate {
  const shown = Math.min(1, Math.max(0, Math.round((value + noise) * count) / count))
  const half = 1.96 * Math.sqrt(Math.max(shown * (1 - shown), 0.001) / count)
  return { value: shown, low: Math.max(0, shown - half), high: Math.min(1, shown + half), count }
}

interface Character {
  /** Alignment that is left, 0 … 1. */
  alignment: number
  sort: number
  reverse: number
  gibberish: number
}

/** What a subject is like: the shield brings alignment back and costs a little skill at the very end. */
function characterOf(experiment: Experiment, subject: Subject): Character {
  if (subject.kind === 'model') {
    switch (subject.id.replace('built-in:', '')) {
      case 'anchor':
        return { alignment: 0.97, sort: 0.21, reverse: 0.18, gibberish: 0.004 }
      case 'task-sort':
        return { alignment: 0.31, sort: 0.94, reverse: 0.08, gibberish: 0.01 }
      case 'task-reverse':
        return { alignment: 0.24, sort: 0.06, reverse: 0.92, gibberish: 0.012 }
      case 'safety':
        return { alignment: 0.99, sort: 0.12, reverse: 0.1, gibberish: 0.002 }
      default:
        return { alignment: 0.03, sort: 0.15, reverse: 0.12, gibberish: 0.008 }
    }
  }
  const lambda = experiment.method === 'fisher_average' ? 0.6 : subject.lambdaAlign
  const shield = lambda / (1.6 + lambda)
  const [first, second] = experiment.experts.map((expert) => expert.weight)
  return {
    alignment: 0.46 + 0.47 * shield,
    sort: 0.3 + 0.62 * (first ?? 0.5) * (1 - 0.16 * shield * shield) + 0.18,
    reverse: 0.26 + 0.62 * (second ?? 0.5) * (1 - 0.18 * shield * shield) + 0.18,
    gibberish: 0.02 + 0.01 * shield,
  }
}

const views: readonly AqiView[] = ['prompts', 'completions', 'answers']

function logSeparationOf(character: Character, view: AqiView): number {
  const slope = view === 'prompts' ? 0.5 : view === 'completions' ? 1.7 : 2.1
  return 1.9 - slope * (0.97 - character.alignment)
}

function aqiOf(character: Character, view: AqiView, count: number, noise: number): AqiResult {
  if (view === 'answers' && character.alignment < 0.05) {
    const unavailable = 'one class only: every answer complies'
    return { normalised: { unavailable }, logSeparation: { unavailable }, perClass: [count, 0] }
  }
  const log = logSeparationOf(character, view) + noise * 0.1
  const anchor = logSeparationOf({ ...character, alignment: 0.97 }, view)
  const normalise = (value: number) => 100 / (1 + Math.exp(anchor - value))
  const se = 0.09
  return {
    normalised: {
      value: normalise(log),
      low: normalise(log - 1.96 * se),
      high: normalise(log + 1.96 * se),
      count: 2 * count,
    },
    logSeparation: { value: log, low: log - 1.96 * se, high: log + 1.96 * se, count: 2 * count },
    perClass: [count, count],
  }
}

function budgetOf(result: AqiResult, view: AqiView): Budget {
  const threshold = logSeparationOf({ alignment: 0.97, sort: 0, reverse: 0, gibberish: 0 }, view) - 0.09
  const value = 'value' in result.logSeparation ? result.logSeparation.value : threshold
  return { threshold, isViolated: value < threshold, violation: Math.max(0, threshold - value) }
}

function clustersOf(character: Character, view: AqiView, count: number): ClusterPoints {
  const distance = Math.exp(0.5 * logSeparationOf(character, view))
  // One stream per view: the same probes lie at the same place in their cluster, whoever is measured.
  const next = stream(`clusters ${view}`)
  const normal = () => Math.sqrt(-2 * Math.log(next() + 1e-9)) * Math.cos(2 * Math.PI * next())
  const cloud = (centre: number, tilt: number) => {
    const points = new Float32Array(2 * count)
    for (let index = 0; index < count; index++) {
      const x = normal()
      points[2 * index] = centre + 0.8 * x
      points[2 * index + 1] = 1.1 * normal() + tilt * x + (1 - character.alignment) * 0.8
    }
    return points
  }
  return { safe: cloud(-distance / 2, 0.3), unsafe: cloud(distance / 2, -0.2) }
}

function behaviourOf(character: Character, experiment: Experiment, next: () => number): Behaviour {
  const n = experiment.probesPerClass
  const noise = () => (next() - 0.5) * 0.05
  return {
    refusal: share(character.alignment, n, noise()),
    attackRefusal: share(character.alignment * 0.62, n, noise()),
    overRefusal: share(0.02 + 0.06 * character.alignment, n, noise()),
    compliance: share(1 - character.alignment - character.gibberish, n, noise()),
    gibberish: share(character.gibberish, 2 * n, 0),
    skills: { sort: share(character.sort, n, noise()), reverse: share(character.reverse, n, noise()) },
    answerLoss: {
      value: 0.62 - 0.3 * character.sort,
      low: 0.58 - 0.3 * character.sort,
      high: 0.67 - 0.3 * character.sort,
      count: 2 * n,
    },
  }
}

const rankLimit = 16
/** Real alignment drift is a small part of the whole displacement. */
const driftScale = 2e-4

/** Coordinates of each expert, decaying with the direction. */
function coordinates(experiment: Experiment, salt: string): number[][] {
  return experiment.experts.map((expert) => {
    const next = stream(`${salt} ${JSON.stringify(expert.origin)} ${experiment.damping} ${experiment.source}`)
    return Array.from(
      { length: rankLimit },
      (_, index) => (driftScale * (1.6 - 0.4 * next())) / (1 + 0.55 * index),
    )
  })
}

export function fakeGeometry(experiment: Experiment): GeometrySummary {
  const own = coordinates(experiment, 'own')
  return {
    key: geometryKey(experiment),
    eigenvalues: Array.from({ length: 64 }, (_, index) => 4.2 * 0.74 ** index),
    rank: rankLimit,
    explained: 0.99,
    metricCorrelation: 0.93,
    fastFormCorrelation: 0.88,
    identityDifference: 0.41,
    alignmentCoordinates: own,
    heldOutCoordinates: own.map((row) => row.map((value) => value * 0.72)),
    otherCoordinates: own.map((row) => row.map((value) => value * 0.55)),
    gram: experiment.experts.map((_, k) => experiment.experts.map((__, l) => (k === l ? 21.4 + k : 7.3))),
    conflictByLayer: [0.21, 0.28, 0.33, 0.3],
    durationMs: 2140,
  }
}

function driftOf(experiment: Experiment, subject: Subject): Drift {
  const lambda = subject.kind === 'merge' ? subject.lambdaAlign : 0
  const kept = 1 / (1 + lambda)
  return {
    own: driftScale * 1.85 * kept,
    heldOut: driftScale * (0.42 + 0.9 * kept),
    otherSource: driftScale * (0.58 + 0.43 * kept),
    total: 3.35 + 0.5 * kept,
    byLayer: Array.from(
      { length: 4 },
      (_, layer) => driftScale * ((0.35 + 0.18 * layer) * (0.45 + 0.55 * kept) + 0.01 * experiment.rank),
    ),
  }
}

/** Everything measured of a subject, as the parts an engine would send. */
export function fakeParts(
  experiment: Experiment,
  subject: Subject,
  part: 'aqi' | 'behaviour' | 'drift',
): MeasuredPart[] {
  const key = measurementKey(experiment, subject)
  const character = characterOf(experiment, subject)
  const next = stream(`${key} ${subjectKey(subject)} ${part}`)
  const base = { key, subject, durationMs: 812 }
  switch (part) {
    case 'drift':
      return [{ ...base, drift: driftOf(experiment, subject) }]
    case 'behaviour':
      return [{ ...base, behaviour: behaviourOf(character, experiment, next) }]
    case 'aqi':
      return views.map((view) => {
        const aqi = aqiOf(character, view, experiment.probesPerClass, next() - 0.5)
        return {
          ...base,
          aqi: { [view]: aqi },
          budget: { [view]: budgetOf(aqi, view) },
          clusters: { [view]: clustersOf(character, view, experiment.probesPerClass) },
        }
      })
  }
}

/** A labeller that says it is what was asked for; its digest follows from the files' names and the choice. */
export function fakeLabeller(request: LabellerRequest): LabellerSummary {
  const digest = (text: string) =>
    Array.from({ length: 8 }, (_, i) =>
      hashText(`${i} ${text}`)
        .replace(/[^0-9a-f]/g, '0')
        .padStart(8, '0')
        .slice(-8),
    ).join('')
  if (request.kind !== 'onnx') {
    const isShipped = request.kind === 'built-in'
    return {
      name: isShipped ? 'Zoo rules (ours)' : (request.files[0]?.name ?? 'rules'),
      about: 'Rules, no model is asked.',
      digest: digest(isShipped ? 'shipped' : request.files.map(({ name }) => name).join()),
      gives: isShipped ? ['toxicity', 'judge'] : ['toxicity'],
      source: { kind: 'rules', license: 'CC0-1.0', rules: { toxicity: 16, judge: 18 } },
      origin: isShipped ? 'built-in' : 'files',
    }
  }
  const { files, toxicLabel = 'toxic', goodLabel, activation = 'softmax', reads = 'answer' } = request
  return {
    name: files[0]?.webkitRelativePath?.split('/')[0] || 'classifier',
    about: 'A classifier.',
    digest: digest(JSON.stringify([toxicLabel, goodLabel, activation, reads])),
    gives: goodLabel === undefined ? ['toxicity'] : ['toxicity', 'judge'],
    source: {
      kind: 'onnx',
      classifier: {
        classes: ['neutral', 'toxic'],
        ...{ toxicLabel, activation, reads, maxTokens: 512 },
        ...(goodLabel !== undefined && { goodLabel }),
      },
    },
    origin: 'files',
  }
}

/** Scores that follow the behaviour, as a labeller with this digest would give them. */
export function fakeLabels(experiment: Experiment, subject: Subject, labeller: string): MeasuredPart {
  const key = measurementKey(experiment, subject)
  const { alignment, sort, reverse } = characterOf(experiment, subject)
  const next = stream(`${key} ${subjectKey(subject)} ${labeller}`)
  const n = 5 * experiment.probesPerClass
  return {
    ...{ key, subject, durationMs: 12 },
    labels: {
      labeller,
      toxicity: share(0.4 * (1 - alignment), n, 0.02 * next()),
      judge: share((3 * alignment + sort + reverse) / 5, n, 0.02 * next()),
    },
  }
}
