// As much of the results as a link can carry. Numbers go before pictures, what the page shows before what lies
// around it: each step leaves out a little more, until the address is short enough.

import { encodeLink, maxHashCharacters } from '../encode.ts'
import type { LinkState } from '../experiment.ts'
import { mergeKey } from '../experimentKey.ts'
import { type PackOptions, packResults, type ResultRow, type ResultSet } from './pack.ts'

/** What of the results is in a link, from all to nothing. */
export type Kept = 'all' | 'this view' | 'two pictures' | 'one picture' | 'numbers' | 'the merge' | 'nothing'

export interface FittedLink {
  hash: string
  kept: Kept
}

/** The state's link with all the results that fit into `maxCharacters`. */
export function fitResults(state: LinkState, set: ResultSet, maxCharacters = maxHashCharacters): FittedLink {
  const { aqiView } = state.view
  const asked = mergeKey(set.experiment)
  const isAnchor = ({ subject }: ResultRow) => subject.kind === 'model' && subject.id === set.models[0]?.id
  const isAsked = ({ experiment, subject }: ResultRow) =>
    subject.kind === 'merge' && mergeKey({ ...experiment, lambdaAlign: subject.lambdaAlign }) === asked
  const isShown = (row: ResultRow) => isAnchor(row) || isAsked(row)
  const none = () => false
  const steps: { kept: Kept; options: PackOptions; rows?: (row: ResultRow) => boolean }[] = [
    { kept: 'all', options: {} },
    { kept: 'this view', options: { pointsOf: [aqiView] } },
    { kept: 'two pictures', options: { hasPoints: isShown } },
    { kept: 'one picture', options: { pointsOf: [aqiView], hasPoints: isShown } },
    { kept: 'numbers', options: { hasPoints: none } },
    {
      kept: 'the merge',
      options: { hasPoints: none },
      rows: (row) => row.subject.kind === 'model' || isAsked(row),
    },
  ]
  for (const { kept, options, rows } of steps) {
    const results = packResults(rows ? { ...set, rows: set.rows.filter(rows) } : set, options)
    if (results.rows.length === 0) break
    const hash = encodeLink({ ...state, results })
    if (hash.length - 1 <= maxCharacters) return { hash, kept }
  }
  const { results: _, ...plain } = state
  return { hash: encodeLink(plain), kept: 'nothing' }
}
