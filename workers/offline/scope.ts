// The part of a service worker's global scope that ours uses. TypeScript has it only in a library that contradicts
// the page's own.

export interface LastingEvent {
  waitUntil(work: Promise<unknown>): void
}

export interface FetchAsked extends LastingEvent {
  readonly request: Request
  respondWith(answer: Promise<Response> | Response): void
}

export interface MessageArrived extends LastingEvent {
  readonly data: unknown
}

interface Events {
  install: LastingEvent
  activate: LastingEvent
  fetch: FetchAsked
  message: MessageArrived
}

export interface ServiceScope {
  readonly location: Location
  readonly registration: { readonly scope: string }
  readonly clients: {
    claim(): Promise<void>
    matchAll(options: { includeUncontrolled: boolean }): Promise<{ postMessage(message: unknown): void }[]>
  }
  skipWaiting(): Promise<void>
  addEventListener<K extends keyof Events>(name: K, listener: (event: Events[K]) => void): void
}
