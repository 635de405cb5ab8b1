// What the page and its service worker say to each other.

export type ToOffline =
  /** store what is not stored yet */
  | { kind: 'fill' }
  | { kind: 'ask' }
  /** this version may replace the one that runs */
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
