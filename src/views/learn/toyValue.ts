// Numbers of the toy that a text quotes.

import { behaviourOf, solveToy } from '../../core/toy/fisherToy.ts'
import type { Toy } from '../../state/learn/store.ts'

const percent = (value: number): string => `${(100 * value).toFixed(0)} %`

/** The value as it stands in a sentence; empty for a name that is none of the toy's. */
export function toyValue(name: string, toy: Toy): string {
  const { average, merge, share } = solveToy(toy)
  switch (name) {
    case 'toyRefusalAnchor':
      return percent(behaviourOf(toy.points, toy.anchor).refusal)
    case 'toyRefusalAverage':
      return percent(behaviourOf(toy.points, average).refusal)
    case 'toyRefusalMerge':
      return percent(behaviourOf(toy.points, merge).refusal)
    case 'toyShare':
      return percent(share)
    default:
      return ''
  }
}
