// What a model of the library says of itself, in words.

import type { KeptSource, LibraryModel } from '../../../workers/libraryApi.ts'
import { PUBLIC_HUB } from '../../state/actions/tokens.ts'

/** Where it comes from, a commit by its first digits. */
export function sourceText(source: KeptSource): string {
  switch (source.kind) {
    case 'hub': {
      const { host } = new URL(source.hub ?? PUBLIC_HUB)
      const commit = source.commit.slice(0, 7)
      const revision = source.revision === source.commit ? commit : `${source.revision} (${commit})`
      return `${host} at ${revision}`
    }
    case 'url':
      return source.url
    case 'files':
      return 'a folder on this machine'
  }
}

export function stateText({ state, source, arrived, total }: LibraryModel): string {
  if (state === 'kept') return 'kept'
  if (state === 'partial') return `partly here, ${Math.floor((100 * arrived) / Math.max(1, total))} %`
  return source.kind === 'files' ? 'read from its folder' : 'streamed from there'
}

/** Remaining time, coarser the longer it is. */
export function timeText(seconds: number): string {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s left`
  if (seconds < 3600) return `${Math.round(seconds / 60)} min left`
  const hours = Math.floor(seconds / 3600)
  return `${hours} h ${Math.round((seconds % 3600) / 60)} min left`
}
