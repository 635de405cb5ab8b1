// Models that a link names at addresses elsewhere. Nothing of them is fetched before the user has seen which hosts
// would be asked for what, and has said yes.

import { create } from 'zustand'
import type { Experiment, ModelOrigin } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import { originKey } from '../../share/experimentKey.ts'
import { neededReferences } from '../../share/methods.ts'
import { openAddress, openRequest } from '../actions/models.ts'
import { stopCount } from '../actions/runner.ts'
import { PUBLIC_HUB } from '../actions/tokens.ts'
import { findModel } from '../selectors.ts'
import { readState } from '../store.ts'

type Foreign = Extract<ModelOrigin, { kind: 'url' | 'hub' }>

/** One model elsewhere: who would be asked, and for what. */
export interface ForeignModel {
  origin: Foreign
  /** with its port */ host: string
  /** repository and commit, or the whole address */ what: string
}

/** What a link wants to fetch and nobody has decided on; empty when there is nothing to ask. */
export const useForeign = create<{ models: readonly ForeignModel[] }>()(() => ({ models: [] }))

const toForeign = (origin: Foreign): ForeignModel =>
  origin.kind === 'url'
    ? { origin, host: new URL(origin.url).host, what: origin.url }
    : {
        origin,
        host: new URL(origin.hub ?? PUBLIC_HUB).host,
        what: `${origin.repo}${origin.part ? `/${origin.part}` : ''} @ ${origin.revision}`,
      }

/** Models at addresses elsewhere that an experiment names, each once. */
export function foreignModels(experiment: Experiment): ForeignModel[] {
  const references = neededReferences(experiment.method).flatMap((role) => experiment.references[role] ?? [])
  const origins = [experiment.anchor, ...experiment.experts.map(({ origin }) => origin), ...references]
  const byKey = new Map(origins.map((origin) => [originKey(origin), origin]))
  return [...byKey.values()].flatMap((origin) =>
    origin.kind === 'url' || origin.kind === 'hub' ? [toForeign(origin)] : [],
  )
}

/** Asks about what the link just opened names and nobody has open. */
export function askAboutForeign(experiment: Experiment): void {
  const { list } = readState().models
  useForeign.setState({
    models: foreignModels(experiment).filter(({ origin }) => !findModel(list, origin)),
  })
}

/** The link is looked at without its models; each can still be loaded where the recipe names it. */
export function declineForeign(): void {
  useForeign.setState({ models: [] })
}

/** Fetches what was asked about, one after another; the first that cannot be had stops nothing, the user does. */
export async function acceptForeign(): Promise<void> {
  const { models } = useForeign.getState()
  const stops = stopCount()
  useForeign.setState({ models: [] })
  for (const { origin } of models) {
    if (stops !== stopCount()) return
    if (origin.kind === 'url') await openAddress(origin.url)
    else await openRequest(origin, t('Opening {name}', { name: origin.repo }))
  }
}
