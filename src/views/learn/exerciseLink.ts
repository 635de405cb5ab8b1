// The links of the exercises, made when they are shown: always of the newest version.

import { type Exercise, lessons } from '../../help/index.ts'
import type { LinkState } from '../../share/experiment.ts'

type Open = Exercise['opens'][number]

/** What a link of an exercise holds. */
export function exerciseLink({ lesson, aqiView = 'completions' }: Open): LinkState {
  return { experiment: lessons[lesson], view: { page: 'studio', aqiView, prompt: '' } }
}

/** The same without what a class does not need. */
export function classLink(open: Open): LinkState {
  const link = exerciseLink(open)
  return { ...link, view: { ...link.view, hide: ['library', 'merge', 'export', 'labeller', 'about'] } }
}
