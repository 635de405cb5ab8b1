// Walking the tour. Each step says all that it needs, so that one can go back and forth; what the reader had before is
// kept as a link and comes back at the end, on leaving, or after the page was closed on the way.

import type { Experiment } from '../../../workers/api.ts'
import { lessons, tourSteps } from '../../help/index.ts'
import type { TourSetting } from '../../help/tourTypes.ts'
import { t } from '../../language/translate.ts'
import { announce } from '../actions/errors.ts'
import { currentHash, readLink } from '../actions/link.ts'
import { recipeChanged } from '../actions/runner.ts'
import { setPage } from '../actions/view.ts'
import { initialToy, useLearn } from '../learn/store.ts'
import { readState, update } from '../store.ts'
import { initialTour, type TourState, useTour } from './store.ts'

const storageKey = 'alignmerge-tour'

type Kept = Pick<TourState, 'isOpen' | 'step' | 'read' | 'done' | 'saved'>

/** Storage may be closed to us; the tour then lasts as long as the page. */
function keep(): void {
  const { isOpen, step, read, done, saved } = useTour.getState()
  try {
    localStorage.setItem(storageKey, JSON.stringify({ isOpen, step, read, done, saved } satisfies Kept))
  } catch {
    // A bookmark is not worth an error.
  }
}

const knownIds = (value: unknown): string[] =>
  Array.isArray(value) ? tourSteps.map(({ id }) => id).filter((id) => value.includes(id)) : []

/** Where the last visit left off. A tour that was open then is closed now, with its way back kept. */
export function loadTour(): void {
  let stored: unknown = null
  try {
    stored = JSON.parse(localStorage.getItem(storageKey) ?? 'null')
  } catch {
    return
  }
  if (typeof stored !== 'object' || stored === null) return
  const { step, read, done, saved, isOpen } = stored as Record<string, unknown>
  const known = tourSteps.find(({ id }) => id === step)
  useTour.setState({
    step: known?.id ?? '',
    read: knownIds(read),
    done: knownIds(done),
    saved: isOpen === true && typeof saved === 'string' ? saved : null,
  })
}

function change(next: Partial<TourState>): void {
  useTour.setState(next)
  keep()
}

export const currentStep = (id: string) => tourSteps.find((step) => step.id === id) ?? tourSteps[0]!

function showExperiment(experiment: Experiment): void {
  if (readState().recipe.experiment === experiment) return
  update('recipe', { experiment })
  recipeChanged()
}

/** Puts a setting on the page. The toy begins from its beginning unless the setting says nothing of it. */
export function applySetting({ lesson, lambdaAlign, aqiView, toy }: TourSetting, byReader = false): void {
  const { experiment } = readState().recipe
  const asked = lesson ? lessons[lesson] : experiment
  if (asked) showExperiment(lambdaAlign === undefined ? asked : { ...asked, lambdaAlign })
  if (aqiView) update('view', { aqiView })
  if (!toy) return
  const fresh = byReader ? useLearn.getState().toy : initialToy()
  const { experts, point, ...plain } = toy
  useLearn.setState(({ moves }) => ({
    toy: {
      ...fresh,
      ...plain,
      experts: fresh.experts.map((expert, i) => ({ ...expert, at: experts?.[i] ?? expert.at })),
      points: fresh.points.map((own, i) => (i === point?.index ? { ...own, ...point.at } : own)),
    },
    moves: {
      point: moves.point + (point ? 1 : 0),
      anchor: moves.anchor + (toy.anchor ? 1 : 0),
      expert: moves.expert + (experts ? 1 : 0),
    },
  }))
}

/** Opens a step and puts what it needs on the page. */
export function goToStep(id: string): void {
  const step = currentStep(id)
  const { saved, isOpen, read } = useTour.getState()
  // Only the first step since opening finds the reader's own work.
  const own = isOpen || saved !== null ? saved : currentHash()
  if (step.page === 'learn') useLearn.setState({ section: 'toy', query: '', entry: null })
  setPage(step.page)
  applySetting(step.set)
  change({
    isOpen: true,
    step: step.id,
    saved: own,
    read: read.includes(step.id) ? read : [...read, step.id],
    movesBefore: useLearn.getState().moves,
  })
  announce(t('Tour, {title}', { title: t(step.title) }))
}

/** From the beginning, or from where the reader stopped. */
export const startTour = (): void => goToStep(useTour.getState().step || tourSteps[0]!.id)

/** The neighbouring step, if there is one. */
export function moveStep(by: 1 | -1): void {
  const at = tourSteps.findIndex(({ id }) => id === useTour.getState().step)
  const next = tourSteps[at + by]
  if (next) goToStep(next.id)
}

/** What the step asks for, done by the page. */
export function doTask(): void {
  const { task } = currentStep(useTour.getState().step)
  if (task) applySetting(task.doIt, true)
}

export function markDone(id: string): void {
  const { done } = useTour.getState()
  if (!done.includes(id)) change({ done: [...done, id] })
}

/** Closes the tour and brings the reader's own work back, or leaves the tour's on the page. */
export function leaveTour(restores = true): void {
  const { saved, step } = useTour.getState()
  if (restores && saved) restoreOwn()
  const isLast = step === tourSteps.at(-1)!.id
  change({ isOpen: false, saved: null, step: isLast ? '' : step })
  announce(restores ? t('Tour left. Your own recipe is back.') : t('Tour left. Its recipe stays.'))
}

/** The work that the tour took the place of; also after the page was closed on the way. */
export function restoreOwn(): void {
  const { saved } = useTour.getState()
  if (saved && readLink(saved)) recipeChanged()
  change({ saved: null })
}

export function resetTour(): void {
  useTour.setState(initialTour())
  keep()
}
