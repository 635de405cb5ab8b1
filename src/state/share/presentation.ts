// How much of the page a link or an address shows: everything, all but some parts (for classes), or charts and
// numbers alone (embedded). `?embed` and `?hide=library,recipe` in the address say the same as a link's own fields.

import { create } from 'zustand'
import { type HideablePart, hideableParts } from '../../share/experiment.ts'

export interface Presentation {
  isEmbed: boolean
  hidden: ReadonlySet<HideablePart>
}

export const usePresentation = create<Presentation>()(() => ({ isEmbed: false, hidden: new Set() }))

/** What is left out. */
export const useHidden = (): Presentation['hidden'] => usePresentation((state) => state.hidden)

/** Parts named in `?hide=`; names that are none are passed over, since nobody is there to be told. */
export function readHide(search: string): HideablePart[] {
  const asked = new URLSearchParams(search).get('hide')?.split(',') ?? []
  return hideableParts.filter((part) => asked.includes(part))
}

/** `?embed`, `?embed=` and `?embed=1`; `?embed=0` is none. */
export function readEmbed(search: string): boolean {
  const value = new URLSearchParams(search).get('embed')
  return value !== null && value !== '0' && value !== 'false'
}

/** What the address and the link together ask for. */
export function present(search: string, view: { isEmbed?: true; hide?: readonly HideablePart[] } = {}): void {
  const hidden = new Set([...readHide(search), ...(view.hide ?? [])])
  usePresentation.setState({ isEmbed: readEmbed(search) || view.isEmbed === true, hidden })
  // The style sheet hides by this attribute, so that no view needs to know.
  const root = document.documentElement
  if (hidden.size > 0) root.dataset.hide = [...hidden].join(' ')
  else delete root.dataset.hide
}
