// Tokens of hubs: in this object and nowhere else. Not in the store, which tools can print; not in links, storage or
// reports; gone with the page.

import type { ModelSpec } from '../../../workers/libraryApi.ts'
import { PUBLIC_HUB } from '../../core/sources/hubId.ts'
import { update } from '../store.ts'

export { PUBLIC_HUB }

const tokens = new Map<string, string>()

/** Remembers a token until the page is closed; an empty one forgets it. */
export function setToken(hub: string | undefined, token: string): void {
  const address = hub ?? PUBLIC_HUB
  if (token.trim() === '') tokens.delete(address)
  else tokens.set(address, token.trim())
  update('library', { tokenHubs: [...tokens.keys()] })
}

export const tokenFor = (hub: string | undefined): string | undefined => tokens.get(hub ?? PUBLIC_HUB)

export const tokenOf = (spec: ModelSpec): string | undefined =>
  spec.kind === 'hub' ? tokenFor(spec.hub) : undefined
