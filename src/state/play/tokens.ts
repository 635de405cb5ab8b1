// The tokens of one answer under every model that is shown. The anchor comes first: the others are compared with it.

import { t } from '../../language/translate.ts'
import { runForeground } from '../actions/runner.ts'
import { toFailure } from '../failure.ts'
import { readState } from '../store.ts'
import { historyOf } from './chat.ts'
import { columnsOf, MERGE_COLUMN } from './columns.ts'
import { readPlay, setPlay, type TokenLook } from './store.ts'

/** Looks at an answer's tokens; the chat before it is that of the model that gave it. */
export async function lookAtTokens(turnId: number, columnKey: string): Promise<void> {
  const { turns } = readPlay()
  const place = turns.findIndex(({ id }) => id === turnId)
  const answer = turns[place]?.replies[columnKey]?.answer
  const { models, recipe } = readState()
  const { experiment } = recipe
  const columns = columnsOf(models.list, experiment)
  const column = columns.find(({ key }) => key === columnKey)
  if (!answer || !experiment || !column || answer.ids.length === 0) return
  const look = { turnId, columnKey, name: column.name }
  const asking: TokenLook = { ...look, status: { kind: 'asking' } }
  setPlay({ look: asking })
  /** What was closed meanwhile, or gave way to another look, stays so. */
  const show = (status: TokenLook['status'] | null) => {
    if (readPlay().look === asking) setPlay({ look: status && { ...look, status } })
  }
  const history = historyOf(turns, place, columnKey)
  try {
    const comparison = await runForeground(
      t('Probabilities of tokens'),
      async (port, jobId) => {
        try {
          return await port.tokenProbabilities(jobId, experiment, {
            turns: [...history, { role: 'user', content: turns[place]!.text }],
            answer: { ids: answer.ids },
            subjects: columns.map(({ subject }) => subject),
          })
        } catch (error) {
          const failure = toFailure(error)
          if (failure.code === 'cancelled' || failure.code === 'device-lost') throw error
          // Said where it was asked for.
          show({ kind: 'failed', failure })
          return undefined
        }
      },
      { needsGeometry: columns.some(({ key }) => key === MERGE_COLUMN) },
    )
    if (comparison) show({ kind: 'known', comparison, names: columns.map(({ name }) => name) })
  } finally {
    // Neither known nor failed: it was stopped.
    show(null)
  }
}

export function closeTokens(): void {
  setPlay({ look: null })
}
