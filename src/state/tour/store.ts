// Where a reader is in the guided tour. Kept on this machine, with the link of the work that the tour took the place of.

import { create } from 'zustand'

export interface TourState {
  isOpen: boolean
  /** id of a step */
  step: string
  /** ids of steps that were read, and of those whose task was done */
  read: readonly string[]
  done: readonly string[]
  /** the reader's own work as a link, while the tour shows its own */
  saved: string | null
  /** moves of the toy when the step began: what comes after is the reader's */
  movesBefore: Readonly<Record<'point' | 'anchor' | 'expert', number>>
}

export const initialTour = (): TourState => ({
  isOpen: false,
  step: '',
  read: [],
  done: [],
  saved: null,
  movesBefore: { point: 0, anchor: 0, expert: 0 },
})

export const useTour = create<TourState>()(initialTour)
