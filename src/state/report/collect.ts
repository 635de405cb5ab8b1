// The report: what somebody needs to find a fault, as text that can be read before it is sent. Never weights, prompts,
// answers, tokens or links. Loaded when it is asked for.

import type { Experiment, ModelOrigin } from '../../../workers/api.ts'
import { usePlay } from '../play/store.ts'
import { selectRemaining } from '../selectors.ts'
import { readState } from '../store.ts'
import { pageInEnglish } from './english.ts'
import { type Fault, faults, steps } from './faults.ts'
import { scrub } from './scrub.ts'

declare const STUDIO_VERSION: string

/** What the page has said, in English and without what was typed. */
type Say = (text: string) => string

/** Wait for an adapter that may never answer. */
const adapterWithinMs = 1500

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`

/** Names of built-in models are ours; of all others the kind is enough. */
const nameOf = (origin: ModelOrigin): string =>
  origin.kind === 'built-in' ? origin.id : `a model of kind ${origin.kind}`

function describeExperiment(experiment: Experiment): string[] {
  const { anchor, experts, references, parameters, ...rest } = experiment
  const plain = Object.entries({ ...rest, ...parameters }).map(([name, value]) =>
    typeof value === 'object' ? `${name} ${JSON.stringify(value)}` : `${name} ${value}`,
  )
  return [
    `anchor ${nameOf(anchor)}`,
    ...experts.map(({ origin, weight }) => `expert ${nameOf(origin)}, weight ${weight}`),
    ...Object.entries(references).map(([role, origin]) => `${role} ${nameOf(origin)}`),
    plain.join(', '),
  ]
}

async function describeAdapter(): Promise<string[]> {
  const gpu = navigator.gpu as GPU | undefined
  if (!gpu) return ['no WebGPU in this browser']
  const wait = new Promise<undefined>((done) => setTimeout(done, adapterWithinMs, undefined))
  const adapter = await Promise.race([
    gpu.requestAdapter({ powerPreference: 'high-performance' }),
    wait,
  ]).catch(() => undefined)
  if (!adapter) return ['WebGPU offers no adapter']
  const { vendor, architecture, device, description } = adapter.info
  const limits: string[] = []
  for (const name in adapter.limits)
    limits.push(`${name} ${(adapter.limits as unknown as Record<string, number>)[name]}`)
  return [
    [vendor, architecture, device, description].filter(Boolean).join(' · '),
    `features ${[...adapter.features].join(', ')}`,
    `limits ${limits.join(', ')}`,
  ]
}

function describeEngine(say: Say): string {
  const { engine, selfTest } = readState().models
  const state =
    engine.kind === 'lost' || engine.kind === 'unsupported'
      ? `${engine.kind}: ${say(engine.reason)}`
      : engine.kind === 'failed'
        ? `failed: ${engine.failure.code}, ${say(engine.failure.message)}`
        : engine.kind
  return `${state}; self-test ${selfTest ? (selfTest.passed ? 'passed' : 'failed') : 'not run'}`
}

function describePlan(say: Say): string[] {
  const { runs } = readState()
  const remaining = selectRemaining(readState())
  const words = remaining.slice(0, 12).map((task) => {
    if (task.kind === 'prepare') return 'prepare'
    const subject = task.subject.kind === 'merge' ? `merge at λ ${task.subject.lambdaAlign}` : 'a model'
    return task.kind === 'label' ? `label ${subject}` : `${task.part} of ${subject}`
  })
  return [
    runs.job ? `running: ${say(runs.job.label)}, ${runs.job.done} of ${runs.job.total}` : 'nothing runs',
    `${remaining.length} tasks remain${remaining.length > 0 ? `: ${words.join('; ')}` : ''}`,
    ...Object.values(runs.failed).map(({ code, message }) => `failed task: ${code}, ${say(message)}`),
  ]
}

/** Everything that somebody has typed on this page, as far as the page still knows. */
function typedTexts(): string[] {
  const fields = [...document.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>('input, textarea')]
    .filter(
      (field) =>
        field instanceof HTMLTextAreaElement || /^(text|password|search|url|email)$/.test(field.type),
    )
    .filter((field) => !field.readOnly)
    .map(({ value }) => value)
  const { turns } = usePlay.getState()
  const chats = turns.flatMap((turn) => [turn.text, ...Object.values(turn.replies).map(({ text }) => text)])
  const { view, runs } = readState()
  const answered = runs.answers ? [runs.answers.prompt, ...runs.answers.answers.map(({ text }) => text)] : []
  return [...fields, ...chats, ...answered, view.prompt]
}

const describeFault = ({ atMs, place, code, message, stack }: Fault, say: Say): string[] => [
  `at ${seconds(atMs)}, ${say(place)}: ${code}, ${say(message)}`,
  ...stack
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.includes(message))
    .slice(0, 24)
    .map((line) => `    ${line.trim()}`),
]

/** The report as text in English, whatever the page's language: it is for whoever mends the fault. */
export async function collectReport(): Promise<string> {
  const { recipe, view, models } = readState()
  const typed = typedTexts()
  const toEnglish = await pageInEnglish()
  // What was typed goes first: taken for a sentence of the page it would be moved about and found no more.
  const say: Say = (text) => toEnglish(scrub(text, typed))
  // The entry's name holds a hash of the build.
  const builds = [...document.scripts].map(({ src }) => src.split('/').pop()).filter(Boolean)
  const sections: [string, string[]][] = [
    [
      'AlignMerge Studio',
      [
        `version ${STUDIO_VERSION}, build ${builds.join(', ') || 'of a development server'}`,
        `page ${view.page}, open for ${seconds(performance.now())}`,
      ],
    ],
    [
      'Browser',
      [
        navigator.userAgent,
        `${innerWidth} × ${innerHeight} at ${devicePixelRatio}, ${navigator.hardwareConcurrency} threads, language ${document.documentElement.lang}`,
        `isolated ${crossOriginIsolated}, secure ${isSecureContext}, service worker ${navigator.serviceWorker?.controller ? 'in control' : 'none'}`,
      ],
    ],
    ['Adapter', await describeAdapter()],
    ['Engine', [describeEngine(say), `${models.list.length} models open`]],
    ['Recipe', recipe.experiment ? describeExperiment(recipe.experiment) : ['none yet']],
    ['Plan', describePlan(say)],
    ['Last steps', steps.map(({ atMs, label }) => `at ${seconds(atMs)}, ${say(label)}`)],
    ['Failures, the latest last', faults.flatMap((fault) => describeFault(fault, say))],
  ]
  const text = sections
    .map(([title, lines]) => `## ${title}\n${lines.length > 0 ? lines.join('\n') : 'none'}`)
    .join('\n\n')
  return `${scrub(text, typed)}\n`
}
