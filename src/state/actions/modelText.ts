// What people type to name a model: a repository, its page, or any address of a folder.

import type { ModelSpec } from '../../../workers/libraryApi.ts'
import { hubBase, isRevision, PUBLIC_HUB, readHubId } from '../../core/sources/hubId.ts'
import { t } from '../../language/translate.ts'
import { isHttpUrl } from '../../share/experiment.ts'

/** The source meant, or in words why there is none. */
export function readModelText(
  text: string,
  revision: string,
  hub: string,
): { spec: ModelSpec } | { reason: string } {
  const named = revision.trim()
  if (named !== '' && !isRevision(named))
    return { reason: t('“{name}” is no name of a branch, tag or commit', { name: named }) }
  const id = readHubId(text)
  if (id) {
    let base: string
    try {
      base = hubBase(hub.trim() || PUBLIC_HUB)
    } catch {
      return { reason: t('The hub must be an http(s) address') }
    }
    const own = base === PUBLIC_HUB ? {} : { hub: base }
    const part = id.part ? { part: id.part } : {}
    return { spec: { kind: 'hub', repo: id.repo, revision: named || id.revision, ...own, ...part } }
  }
  if (isHttpUrl(text.trim())) return { spec: { kind: 'url', url: text.trim() } }
  return {
    reason: t(
      'Expected owner/name, owner/name@revision, owner/name/FILE.gguf, or an http(s) address of a folder',
    ),
  }
}
