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
    const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches
    // A part that does not fit begins where it can be read from.
    found.scrollIntoView({ block: 'start', behavior: isCalm ? 'auto' : 'smooth' })
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
