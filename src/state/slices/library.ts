// Where models come from: what was looked at in this session, what is kept or arriving, and the room there is.

import type { Arrival, LibraryModel, Quota } from '../../../workers/libraryApi.ts'
import type { Failure } from '../failure.ts'

export type LibraryStatus =
  | { kind: 'closed' }
  | { kind: 'opening' }
  | { kind: 'ready' }
  | { kind: 'failed'; failure: Failure }

/** What is being done with a model. */
export type Activity =
  | { kind: 'fetching'; arrival: Arrival | null }
  | { kind: 'removing' }
  | { kind: 'looking' }

export interface LibrarySlice {
  status: LibraryStatus
  models: LibraryModel[]
  room: Quota
  /** the browser has promised not to clear it by itself; null until it was asked */
  isPersistent: boolean | null
  /** by key */
  activities: Record<string, Activity>
  failures: Record<string, Failure>
  notes: Record<string, string>
  /** directories of earlier visits, which need a permission again */
  folders: { id: string; name: string }[]
  /** ids of models that the engine has opened, by key */
  opened: Record<string, string>
  /** what is being looked at, in words */
  adding: string | null
  addFailure: Failure | null
  /** hubs that a token was given for in this session; the tokens themselves are not here */
  tokenHubs: string[]
}

export const initialLibrary: LibrarySlice = {
  status: { kind: 'closed' },
  models: [],
  room: { used: null, limit: null },
  isPersistent: null,
  activities: {},
  failures: {},
  notes: {},
  folders: [],
  opened: {},
  adding: null,
  addFailure: null,
  tokenHubs: [],
}
