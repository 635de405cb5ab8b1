// Whether this visit's build is kept on this machine, and whether a newer one waits.

import { create } from 'zustand'

export type OfflineStatus =
  /** no service worker here: a development server, a frame, a browser that forbids it */
  | { kind: 'off'; reason: string }
  | { kind: 'starting' }
  | { kind: 'partial'; keptBytes: number; allBytes: number; isFilling: boolean; failure: string | null }
  | { kind: 'ready'; allBytes: number }

export interface OfflineState {
  status: OfflineStatus
  /** `waits`: asks to be let in; `comes`: was let in here; `runs-elsewhere`: another tab has let it in */
  update: 'none' | 'waits' | 'comes' | 'runs-elsewhere'
}

export const initialOffline = (): OfflineState => ({ status: { kind: 'starting' }, update: 'none' })

export const useOffline = create<OfflineState>()(initialOffline)
