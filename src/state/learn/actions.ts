import { setPage } from '../actions/view.ts'
import { initialToy, type Section, type Toy, type ToyPart, type ToyPlace, useLearn } from './store.ts'

/** How far requests and models may be dragged, in the units of the toy's axes. */
export const toyReach = { requests: 2, weights: 4 } as const

const clamp = (value: number, reach: number): number => Math.min(Math.max(value, -reach), reach)
const within = ({ x, y }: ToyPlace, reach: number): ToyPlace => ({ x: clamp(x, reach), y: clamp(y, reach) })

export function showSection(section: Section): void {
  useLearn.setState({ section, query: '', entry: null })
}

/** Opens Learn at a section, and at one entry of it. */
export function openLearn(section: Section, entry: string | null = null): void {
  useLearn.setState({ section, query: '', entry })
  setPage('learn')
}

export const setQuery = (query: string): void => useLearn.setState({ query: query.slice(0, 100) })

function changeToy(part: ToyPart | null, edit: (toy: Toy) => Toy): void {
  useLearn.setState(({ toy, moves }) => ({
    toy: edit(toy),
    moves: part ? { ...moves, [part]: moves[part] + 1 } : moves,
  }))
}

export function movePoint(index: number, to: ToyPlace): void {
  changeToy('point', (toy) => ({
    ...toy,
    points: toy.points.map((point, i) =>
      i === index ? { ...point, ...within(to, toyReach.requests) } : point,
    ),
  }))
}

export function moveAnchor(to: ToyPlace): void {
  changeToy('anchor', (toy) => ({ ...toy, anchor: within(to, toyReach.weights) }))
}

export function moveExpert(index: number, to: ToyPlace): void {
  changeToy('expert', (toy) => ({
    ...toy,
    experts: toy.experts.map((expert, i) =>
      i === index ? { ...expert, at: within(to, toyReach.weights) } : expert,
    ),
  }))
}

export type ToySettings = Pick<Toy, 'lambdaAlign' | 'rank' | 'metric' | 'damping'>

export function setToy(change: Partial<ToySettings>): void {
  changeToy(null, (toy) => ({ ...toy, ...change }))
}

/** Weight of the first of two experts; the second takes the rest. */
export function setToyWeight(weight: number): void {
  const first = clamp(weight, 1)
  changeToy(null, (toy) => ({
    ...toy,
    experts: toy.experts.map((expert, i) => ({ ...expert, weight: i === 0 ? first : 1 - first })),
  }))
}

export function resetToy(): void {
  useLearn.setState({ toy: initialToy(), moves: { point: 0, anchor: 0, expert: 0 } })
}
