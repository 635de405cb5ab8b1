// Asking and stopping. A chat goes on with each column by itself: a model sees its own answers and no other's.

import type { PlayEvent, Turn } from '../../../workers/api/play.ts'
import type { Experiment } from '../../../workers/api.ts'
import { plural, t } from '../../language/translate.ts'
import { geometryKey } from '../../share/experimentKey.ts'
import { announce } from '../actions/errors.ts'
import { runForeground } from '../actions/runner.ts'
import { session } from '../actions/session.ts'
import { readState } from '../store.ts'
import { columnsOf, MERGE_COLUMN, mergeWordsKey } from './columns.ts'
import { acceptAnswers } from './runSet.ts'
import { type ChatTurn, type Column, type Reply, readPlay, setPlay } from './store.ts'

/** More is not read by models of this size, and less is lost than with an answer that fails. */
export const MAX_CHAT_CHARACTERS = 4000

let nextTurn = 1
/** The chat that is being answered: its columns in the engine's order. */
let current: { chatId: number; turnId: number; keys: string[] } | null = null
let nextChat = 1
let stopping: AbortController | null = null

session.onPlay = (event: PlayEvent) => {
  if (event.kind === 'prompts-answered') {
    acceptAnswers(event)
    return
  }
  if (current?.chatId !== event.chatId) return
  const key = current.keys[event.column]
  if (key === undefined) return
  changeReply(current.turnId, key, (reply) =>
    reply.state === 'waiting' || reply.state === 'speaking'
      ? { ...reply, state: 'speaking', text: event.text, tokens: event.tokens }
      : reply,
  )
}

function changeReply(turnId: number, key: string, change: (reply: Reply) => Reply): void {
  setPlay(({ turns }) => ({
    turns: turns.map((turn) => {
      const reply = turn.replies[key]
      return turn.id === turnId && reply
        ? { ...turn, replies: { ...turn.replies, [key]: change(reply) } }
        : turn
    }),
  }))
}

/** The chat as a column has seen it, before the turn at `place`; turns it did not answer are left out. */
export function historyOf(turns: readonly ChatTurn[], place: number, key: string): Turn[] {
  return turns.slice(0, place).flatMap((turn): Turn[] => {
    const reply = turn.replies[key]
    if (!reply || reply.state === 'failed' || reply.text === '') return []
    return [
      { role: 'user', content: turn.text },
      { role: 'assistant', content: reply.text },
    ]
  })
}

export function visibleColumns(): Column[] {
  const { models, recipe } = readState()
  const { hidden } = readPlay()
  return columnsOf(models.list, recipe.experiment).filter(({ key }) => !hidden.includes(key))
}

/** Asks all columns that are shown. */
export async function ask(text: string): Promise<void> {
  const question = text.trim().slice(0, MAX_CHAT_CHARACTERS)
  if (question === '' || readPlay().isAnswering) return
  await answerTurn(readPlay().turns.length, question)
}

/** Asks a turn again, in other words if given; what came after it is gone. */
export async function askAgain(turnId: number, text?: string): Promise<void> {
  const { turns, sampling, isAnswering } = readPlay()
  const place = turns.findIndex(({ id }) => id === turnId)
  if (place < 0 || isAnswering) return
  const question = (text ?? turns[place]!.text).trim().slice(0, MAX_CHAT_CHARACTERS)
  if (question === '') return
  // The same seed would give the same answer.
  if (text === undefined && sampling.temperature > 0) setSampling({ seed: sampling.seed + 1 })
  await answerTurn(place, question)
}

async function answerTurn(place: number, question: string): Promise<void> {
  const { experiment } = readState().recipe
  const columns = visibleColumns()
  if (!experiment || columns.length === 0) return
  const { sampling, turns } = readPlay()
  const id = nextTurn++
  const waiting = (key: string): Reply => ({
    state: 'waiting',
    text: '',
    tokens: 0,
    sampling,
    ...(key === MERGE_COLUMN && { mergeKey: mergeWordsKey(experiment) }),
  })
  const turn: ChatTurn = {
    id,
    text: question,
    replies: Object.fromEntries(columns.map(({ key }) => [key, waiting(key)])),
  }
  const before = turns.slice(0, place)
  setPlay({ turns: [...before, turn], isAnswering: true, look: null })
  const controller = new AbortController()
  stopping = controller
  try {
    for (const part of inParts(columns, experiment)) {
      if (!controller.signal.aborted) await askPart(turn, before, part, experiment, controller)
    }
  } finally {
    for (const { key } of columns)
      changeReply(id, key, (reply) =>
        reply.state === 'waiting' || reply.state === 'speaking' ? { ...reply, state: 'stopped' } : reply,
      )
    stopping = null
    setPlay({ isAnswering: false })
  }
}

/** All at once; while the merge has no geometry yet the models go first. */
function inParts(columns: Column[], experiment: Experiment): Column[][] {
  const isReady = readState().runs.preparedKey === geometryKey(experiment)
  const models = columns.filter(({ key }) => key !== MERGE_COLUMN)
  if (isReady || models.length === columns.length || models.length === 0) return [columns]
  return [models, columns.filter(({ key }) => key === MERGE_COLUMN)]
}

async function askPart(
  { id, text }: ChatTurn,
  before: readonly ChatTurn[],
  columns: readonly Column[],
  experiment: Experiment,
  controller: AbortController,
): Promise<void> {
  const { sampling, maxNewTokens } = readPlay()
  const own = { chatId: nextChat++, turnId: id, keys: columns.map(({ key }) => key) }
  current = own
  const request = {
    chatId: own.chatId,
    sampling,
    maxNewTokens,
    columns: columns.map(({ key, subject }) => ({
      subject,
      turns: [...historyOf(before, before.length, key), { role: 'user' as const, content: text }],
    })),
  }
  try {
    const answers = await runForeground(
      t('Answering the prompt'),
      (port, jobId) => port.chat(jobId, experiment, request),
      { needsGeometry: columns.some(({ key }) => key === MERGE_COLUMN), controller },
    )
    answers?.forEach((answer, c) => {
      changeReply(id, own.keys[c]!, (reply) => ({
        ...reply,
        state: answer.failure ? 'failed' : 'done',
        text: answer.text,
        tokens: answer.ids.length,
        answer,
        ...(answer.failure && { failure: answer.failure }),
      }))
    })
    if (answers)
      announce(plural(answers.length, '{count} answer has arrived', '{count} answers have arrived'))
  } finally {
    if (current === own) current = null
  }
}

/** Stops the answers; what has been said stays. */
export function stopAnswers(): void {
  stopping?.abort()
}

export function clearChat(): void {
  stopAnswers()
  setPlay({ turns: [], look: null })
  announce(t('The chat is empty'))
}

export function setSampling(change: Partial<ReturnType<typeof readPlay>['sampling']>): void {
  setPlay(({ sampling }) => ({ sampling: { ...sampling, ...change } }))
}

export function setMaxNewTokens(maxNewTokens: number): void {
  setPlay({ maxNewTokens })
}

/** Shows or hides a column; the last one that is shown stays. */
export function toggleColumn(key: string): void {
  const { hidden } = readPlay()
  if (hidden.includes(key)) setPlay({ hidden: hidden.filter((one) => one !== key) })
  else if (visibleColumns().length > 1) setPlay({ hidden: [...hidden, key] })
}
