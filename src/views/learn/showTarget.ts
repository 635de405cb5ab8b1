// Finding a part of the page, bringing it into sight and marking it. A part may come a moment later than its page.

import { helpTarget, type TargetId } from '../../help/index.ts'

const mark = 'data-pointed'
const everyMs = 60
const atMostMs = 8000

export const findTarget = (id: TargetId): HTMLElement | null =>
  document.querySelector<HTMLElement>(helpTarget(id).selector)

export function clearMarks(): void {
  for (const marked of document.querySelectorAll(`[${mark}]`)) marked.removeAttribute(mark)
}

const margin = 8

/** What scrolls around an element; undefined where the page itself does. */
function scrollerOf(element: HTMLElement): HTMLElement | undefined {
  for (let at = element.parentElement; at; at = at.parentElement) {
    const isScroller = /auto|scroll/.test(getComputedStyle(at).overflowY)
    if (isScroller && at !== document.body && at !== document.documentElement) return at
  }
  return undefined
}

/** A part begins where it can be read from. Only what scrolls around it is moved, never the page's frame. */
function bringIntoSight(found: HTMLElement): void {
  const behavior = matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth'
  const scroller = scrollerOf(found)
  if (!scroller) {
    found.scrollIntoView({ block: 'start', behavior })
    return
  }
  const by = found.getBoundingClientRect().top - scroller.getBoundingClientRect().top
  scroller.scrollTo({ top: scroller.scrollTop + by - margin, behavior })
}

/** Marks a part as soon as it is there; the returned function gives up and takes the mark away. */
export function markTarget(id: TargetId): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  const began = performance.now()
  const look = () => {
    const found = findTarget(id)
    if (!found) {
      if (performance.now() - began < atMostMs) timer = setTimeout(look, everyMs)
      return
    }
    clearMarks()
    found.setAttribute(mark, '')
    if (found instanceof HTMLDetailsElement) found.open = true
    bringIntoSight(found)
  }
  look()
  return () => {
    clearTimeout(timer)
    clearMarks()
  }
}

/** First thing in a part that takes the keyboard, or the part itself. */
export function focusTarget(id: TargetId): void {
  const found = findTarget(id)
  if (!found) return
  const inside = found.querySelector<HTMLElement>(
    ':is(input, select, textarea, button, [tabindex="0"]):not(:disabled, [type="checkbox"])',
  )
  if (inside) inside.focus()
  else {
    found.tabIndex = -1
    found.focus()
  }
}

/** Brings a part into sight, marked for a moment. */
export function showTarget(id: TargetId): void {
  const give = markTarget(id)
  setTimeout(give, 4000)
}
