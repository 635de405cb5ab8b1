// What a hub means by its refusals, in words that say what to do. Tokens never stand in a message.

import { EngineError } from '../errors.ts'

/** A refused answer of the hub as an error; `undefined` for one that is fine or that somebody else explains. */
export async function hubRefusal(
  response: Response,
  about: { repo: string; revision: string; base: string; hasToken: boolean },
): Promise<EngineError | undefined> {
  const { status } = response
  if (status < 400 || status === 416) return undefined
  const code = response.headers.get('x-error-code') ?? ''
  const page = `${about.base}/${about.repo}`
  const host = new URL(about.base).host
  const refused = (text: string) => new EngineError('access-refused', text)
  if (code === 'GatedRepo')
    return about.hasToken
      ? refused(
          `${about.repo} is gated and this token's account has no access yet: ask for it at ${page}, and check that the token may read gated repositories`,
        )
      : refused(
          `${about.repo} is gated: accept its conditions at ${page}, make a read token in your settings at ${host}, and give it here`,
        )
  if (code === 'DisabledRepo')
    return refused(`${about.repo} has been disabled by ${host}; nothing of it can be read`)
  if (code === 'RevisionNotFound')
    return new EngineError('file-missing', `${about.repo} has no revision ${about.revision}`)
  if (code === 'EntryNotFound') return undefined
  if (code === 'RepoNotFound' || status === 401)
    return about.hasToken
      ? new EngineError(
          status === 401 ? 'access-refused' : 'file-missing',
          status === 401
            ? `${host} does not accept this token: it is wrong, expired or may not read ${about.repo}`
            : `${host} has no repository ${about.repo} that this token may read`,
        )
      : refused(
          `${host} shows no repository ${about.repo}: the name is wrong, or it is private and needs a token`,
        )
  if (status === 403)
    return refused(
      about.hasToken
        ? `${host} refuses ${about.repo} to this token: it needs the right to read this repository`
        : `${host} refuses ${about.repo} without a token`,
    )
  return undefined
}
