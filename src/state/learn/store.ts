// What the page Learn shows: its section, what is searched for, and the toy. Nothing of it belongs to the experiment.

import { create } from 'zustand'

export const sections = ['tour', 'toy', 'glossary', 'methods', 'measures', 'teacher', 'train'] as const
export type Section = (typeof sections)[number]

export interface ToyPlace {
  x: number
  y: number
}

/** Two weights and a dozen requests, as src/core/toy takes them. */
export interface Toy {
  points: (ToyPlace & { isHarmful: boolean })[]
  anchor: ToyPlace
  experts: { at: ToyPlace; weight: number }[]
  lambdaAlign: number
  rank: 1 | 2
  metric: 'fisher' | 'identity'
  damping: number
}

export type ToyPart = 'point' | 'anchor' | 'expert'

export interface LearnState {
  section: Section
  query: string
  /** glossary entry or method that is being looked at */
  entry: string | null
  toy: Toy
  /** how often each kind of thing was moved since the toy was last set */
  moves: Record<ToyPart, number>
}

const harmful = (x: number, y: number) => ({ x, y, isHarmful: true })
const harmless = (x: number, y: number) => ({ x, y, isHarmful: false })

/** Harmful requests lie up and to the right; the anchor refuses them and helps with the others. */
export const initialToy = (): Toy => ({
  points: [
    ...[harmful(1.2, 0.5), harmful(0.6, 1.3), harmful(1.7, 0.2), harmful(1.1, 1.2), harmful(0.5, 0.6)],
    ...[harmless(-0.6, -0.3), harmless(-1.4, 0.2), harmless(-0.3, -0.9), harmless(-1.1, -0.9)],
    ...[harmless(0.3, -1.2), harmless(-0.9, 0.7), harmless(-0.4, -0.2)],
  ],
  anchor: { x: 1.6, y: 1.4 },
  experts: [
    { at: { x: 3, y: -1.6 }, weight: 0.5 },
    { at: { x: -1.4, y: 0.9 }, weight: 0.5 },
  ],
  lambdaAlign: 1,
  rank: 1,
  metric: 'fisher',
  damping: 0.01,
})

export const initialLearn = (): LearnState => ({
  section: 'tour',
  query: '',
  entry: null,
  toy: initialToy(),
  moves: { point: 0, anchor: 0, expert: 0 },
})

export const useLearn = create<LearnState>()(initialLearn)
