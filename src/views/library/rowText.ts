// What a model of the library says of itself, in words.

import type { KeptSource, LibraryModel } from '../../../workers/libraryApi.ts'
import { t } from '../../language/translate.ts'
import { PUBLIC_HUB } from '../../state/actions/tokens.ts'

/** Where it comes from, a commit by its first digits. */
export function sourceText(source: KeptSource): string {
  switch (source.kind) {
    case 'hub': {
      const { host } = new URL(source.hub ?? PUBLIC_HUB)
      const commit = source.commit.slice(0, 7)
      const revision = source.revision === source.commit ? commit : `${source.revision} (${commit})`
      return t('{name} at {revision}', { name: host, revision })
    }
    case 'url':
      return source.url
    case 'files':
      return t('a folder on this machine')
  }
}

export function stateText({ state, source, arrived, total }: LibraryModel): string {
  if (state === 'kept') return t('kept')
  if (state === 'partial')
    return t('partly here, {percent} %', { percent: Math.floor((100 * arrived) / Math.max(1, total)) })
  return source.kind === 'files' ? t('read from its folder') : t('streamed from there')
}

/** Remaining time, coarser the longer it is. */
export function timeText(seconds: number): string {
  if (seconds < 60) return t('{count} s left', { count: Math.max(1, Math.round(seconds)) })
  if (seconds < 3600) return t('{count} min left', { count: Math.round(seconds / 60) })
  const hours = Math.floor(seconds / 3600)
  return t('{hours} h {minutes} min left', { hours, minutes: Math.round((seconds % 3600) / 60) })
}
