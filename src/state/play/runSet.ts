// A set of prompts through the models: every prompt answered by everybody, counted with intervals, written as CSV.

import type { AnswerKind, PlayEvent } from '../../../workers/api/play.ts'
import type { Estimate } from '../../../workers/api.ts'
import { wilsonShare } from '../../core/evaluate/bootstrap.ts'
import { t } from '../../language/translate.ts'
import { announce } from '../actions/errors.ts'
import { runForeground } from '../actions/runner.ts'
import { readState } from '../store.ts'
import { visibleColumns } from './chat.ts'
import { MERGE_COLUMN, mergeWordsKey } from './columns.ts'
import { writeCsv } from './promptFile.ts'
import type { PromptSet } from './storage.ts'
import { readPlay, type SetRun, setPlay } from './store.ts'

/** Tokens of an answer; more is not read of anybody. */
const MAX_ANSWER_TOKENS = 64

let nextRun = 1
let controller: AbortController | null = null

/** Asks all shown columns all prompts that are not ignored, or those at `places` alone. */
export async function runSet(places?: readonly number[]): Promise<void> {
  const { set, fits } = readPlay()
  const { experiment } = readState().recipe
  const columns = visibleColumns()
  if (!set || !experiment || columns.length === 0 || controller) return
  const asked = (places ?? set.rows.map((_, place) => place)).filter(
    (place) => set.rows[place]!.label !== 'ignore' && fits?.[place]?.hasRoom !== false,
  )
  if (asked.length === 0) return
  const id = nextRun++
  const run: SetRun = {
    id,
    setId: set.id,
    columns,
    mergeKey: mergeWordsKey(experiment),
    places: [...asked],
    answers: columns.map(() => asked.map(() => undefined)),
    state: 'running',
  }
  setPlay({ run })
  controller = new AbortController()
  const own = controller
  try {
    const isDone = await runForeground(
      t('Running the prompts'),
      async (port, jobId) => {
        await port.answerPrompts(jobId, experiment, {
          runId: id,
          prompts: asked.map((place) => set.rows[place]!.prompt),
          subjects: columns.map(({ subject }) => subject),
          maxNewTokens: MAX_ANSWER_TOKENS,
        })
        return true
      },
      { needsGeometry: columns.some(({ key }) => key === MERGE_COLUMN), controller: own },
    )
    finish(id, isDone ? 'done' : own.signal.aborted ? 'stopped' : 'failed')
    if (isDone) announce(t('{count} prompts were answered', { count: asked.length }))
  } finally {
    controller = null
  }
}

function finish(id: number, state: SetRun['state']): void {
  setPlay(({ run }) => (run?.id === id ? { run: { ...run, state } } : {}))
}

export function stopRun(): void {
  controller?.abort()
}

export function acceptAnswers(event: Extract<PlayEvent, { kind: 'prompts-answered' }>): void {
  setPlay(({ run }) => {
    if (run?.id !== event.runId || run.state !== 'running') return {}
    const answers = [...run.answers]
    const column = [...answers[event.subject]!]
    event.answers.forEach((answer, i) => {
      column[event.first + i] = answer
    })
    answers[event.subject] = column
    return { run: { ...run, answers } }
  })
}

/** How one column answered, by the labels as they are now. */
export interface ColumnCounts {
  /** share of unsafe prompts */ refusal: Estimate
  compliance: Estimate
  /** share of safe prompts */ overRefusal: Estimate
  /** share of all */ gibberish: Estimate
}

/** Shares with Wilson's 95 % intervals over the answers that are there. */
export function countRun(run: SetRun, rows: PromptSet['rows']): ColumnCounts[] {
  return run.answers.map((column) => {
    const of = { safe: [] as AnswerKind[], unsafe: [] as AnswerKind[] }
    column.forEach((answer, i) => {
      const label = rows[run.places[i]!]?.label
      if (answer && (label === 'safe' || label === 'unsafe')) of[label].push(answer.verdict)
    })
    const share = (kinds: readonly AnswerKind[], wanted: AnswerKind) =>
      wilsonShare(kinds.filter((kind) => kind === wanted).length, kinds.length)
    return {
      refusal: share(of.unsafe, 'refusal'),
      compliance: share(of.unsafe, 'compliance'),
      overRefusal: share(of.safe, 'refusal'),
      gibberish: share([...of.safe, ...of.unsafe], 'gibberish'),
    }
  })
}

/** The file as it came, with the labels as they are, and answers and verdicts where the set was run. */
export function setAsCsv(set: PromptSet, run: SetRun | null): string {
  const own = run?.setId === set.id ? run : null
  const label = set.labelColumn ?? set.columns.length
  const columns = [...set.columns, ...(set.labelColumn === null ? ['label'] : [])]
  const added = (own?.columns ?? []).flatMap(({ name }) => [`answer: ${name}`, `verdict: ${name}`])
  const placeOf = new Map(own?.places.map((place, i) => [place, i]))
  const rows = set.rows.map((row, place) => {
    const cells = [...row.cells]
    cells[label] = row.label
    const asked = placeOf.get(place)
    const answers = (own?.answers ?? []).flatMap((column) => {
      const answer = asked === undefined ? undefined : column[asked]
      return [answer?.text ?? '', answer?.verdict ?? '']
    })
    return [...cells, ...answers]
  })
  return writeCsv([...columns, ...added], rows)
}
