// What the page and its service worker say to each other.

export type ToOffline =
  /** store what is not stored yet */
  | { kind: 'fill' }
  | { kind: 'ask' }
  /** to the version that runs: store nothing more, another one is about to take over */
  | { kind: 'leave' }
  /** to the version that waits */
  | { kind: 'take-over' }

export interface OfflineReport {
  kind: 'offline'
  version: string
  kept: { files: number; bytes: number }
  all: { files: number; bytes: number }
  isFilling: boolean
  /** why the last attempt broke off */
  failure: string | null
}
