// Recipes that the user keeps under a name, as links in local storage: they carry a version and are checked field by
// field when they are read. Storage may be closed to us; they then last as long as the page.

import { create } from 'zustand'
import type { Experiment } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import { decodeLink, encodeLink } from '../../share/codec.ts'
import { type Preset, presets } from '../../share/presets.ts'
import { announce } from '../actions/errors.ts'
import { openExperiment } from '../actions/recipe.ts'
import { selectLinkView } from '../selectors.ts'
import { initialView } from '../slices/view.ts'
import { readState } from '../store.ts'

const storageKey = 'alignmerge-presets'
const maxKept = 50
const maxNameCharacters = 80

export interface KeptPreset {
  name: string
  experiment: Experiment
}

function read(): KeptPreset[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(storageKey) ?? '[]')
    if (!Array.isArray(stored)) return []
    return stored.slice(0, maxKept).flatMap((entry: unknown) => {
      const { name, link } = (entry ?? {}) as { name?: unknown; link?: unknown }
      if (typeof name !== 'string' || typeof link !== 'string') return []
      const decoded = decodeLink(link)
      if (decoded.kind !== 'link') return []
      return [{ name: name.slice(0, maxNameCharacters), experiment: decoded.state.experiment }]
    })
  } catch {
    return []
  }
}

export const useKeptPresets = create<{ list: readonly KeptPreset[] }>()(() => ({ list: read() }))

// Another tab keeps recipes too: unknown here, they would be written over by the next one that is kept.
globalThis.addEventListener?.('storage', ({ key }) => {
  if (key === storageKey) useKeptPresets.setState({ list: read() })
})

function keep(list: readonly KeptPreset[]): void {
  useKeptPresets.setState({ list })
  try {
    const entries = list.map(({ name, experiment }) => ({
      name,
      link: encodeLink({ experiment, view: selectLinkView(initialView) }),
    }))
    localStorage.setItem(storageKey, JSON.stringify(entries))
  } catch {
    // The list lasts as long as the page.
  }
}

/** Keeps the recipe as it is now; one of the same name gives way. */
export function keepPreset(name: string): void {
  const { experiment } = readState().recipe
  const given = name.trim().slice(0, maxNameCharacters)
  if (!experiment || given === '') return
  const others = useKeptPresets.getState().list.filter((preset) => preset.name !== given)
  keep([{ name: given, experiment }, ...others].slice(0, maxKept))
  announce(t('Kept as {name}', { name: given }))
}

export function forgetPreset(name: string): void {
  keep(useKeptPresets.getState().list.filter((preset) => preset.name !== name))
  announce(t('{name} is forgotten', { name }))
}

/** Makes a preset the recipe; probes and seed stay as they are. */
export function applyPreset({ change, label }: Preset): void {
  const { experiment } = readState().recipe
  if (!experiment) return
  openExperiment({ ...experiment, ...change })
  announce(t('The recipe is “{name}”', { name: t(label) }))
}

/** Makes a kept recipe that of the page. */
export function applyKept({ name, experiment }: KeptPreset): void {
  openExperiment(experiment)
  announce(t('The recipe is “{name}”', { name }))
}

/** Built-in presets need the built-in models. */
export const fittingPresets = (builtInIds: ReadonlySet<string>): readonly Preset[] =>
  presets.filter(({ change }) =>
    (change.experts ?? []).every(({ origin }) => origin.kind === 'built-in' && builtInIds.has(origin.id)),
  )
