// The library behind its interface: looks at sources, keeps models, lists what is kept. No device, no page.

import { EngineError } from '../src/core/errors.ts'
import { lookAt } from '../src/core/sources/lookAt.ts'
import { sourceKey } from '../src/core/store/manifest.ts'
import { originStorage } from '../src/core/store/originStorage.ts'
import type { Storage } from '../src/core/store/storage.ts'
import { type KeptModel, ModelStore } from '../src/core/store/store.ts'
import type { LibraryApi, LibraryContent, LibraryEvent, LibraryModel, ModelSpec } from './libraryApi.ts'
import { folderOfSpec, type SpecFolder } from './specFolder.ts'

const ARRIVAL_INTERVAL_MS = 200
/** Speed is that of this time, ms: long enough to be steady, short enough to follow. */
const SPEED_WINDOW_MS = 5000
const CHANNEL = 'alignmerge-library'

export function createLibrary(openStorage: () => Promise<Storage> = originStorage): LibraryApi {
  let emit: (event: LibraryEvent) => void = () => {}
  let store: ModelStore | undefined
  let storage: Storage | undefined
  const calls = new Map<number, AbortController>()
  const others = new BroadcastChannel(CHANNEL)
  others.onmessage = () => emit({ kind: 'changed' })

  const current = (): ModelStore => {
    if (!store) throw new EngineError('file-unsupported', 'the library is not open')
    return store
  }
  const list = async (): Promise<LibraryContent> => ({
    models: (await current().list()).map(modelOf),
    room: (await storage?.quota()) ?? { used: null, limit: null },
  })

  async function run<T>(callId: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController()
    calls.set(callId, controller)
    try {
      return await work(controller.signal)
    } finally {
      calls.delete(callId)
    }
  }

  async function look(
    spec: ModelSpec,
    token: string | undefined,
    signal: AbortSignal,
    onWait: (reason: string, waitMs: number) => void = () => {},
  ) {
    const found = await folderOfSpec(spec, { token, signal, onWait })
    const { entries, licence } = found
    const { about, files } = await lookAt(found.folder, { entries, licence, signal })
    return { found, about, files }
  }

  return {
    async open(onEvent) {
      emit = onEvent
      storage = await openStorage()
      store = await ModelStore.open(storage)
      return list()
    },
    list,

    look: (callId, spec, token) =>
      run(callId, async (signal) => {
        const { found, about, files } = await look(spec, token, signal)
        const key = sourceKey(found.source)
        const kept = await current().find(key)
        if (kept) return modelOf(kept)
        const total = files.reduce((sum, { size }) => sum + size, 0)
        return { key, ...named(found), about, state: 'streamed', arrived: 0, total }
      }),

    keep: (callId, spec, token) =>
      run(callId, async (signal) => {
        let key: string | undefined
        const { found, about, files } = await look(spec, token, signal, (reason, waitMs) => {
          const note = `${reason}; asking again in ${Math.ceil(waitMs / 1000)} s`
          if (key) emit({ kind: 'note', key, note })
        })
        key = sourceKey(found.source)
        const report = arrivals(key, (event) => emit(event))
        const onNote = (note: string) => emit({ kind: 'note', key: sourceKey(found.source), note })
        await current().keep({ ...named(found), about, files }, { signal, onProgress: report, onNote })
        others.postMessage('changed')
        return modelOf((await current().find(key))!)
      }),

    stop: (callId) => calls.get(callId)?.abort(),

    async remove(key) {
      await current().remove(key)
      others.postMessage('changed')
    },
  }
}

const named = ({ name, source }: SpecFolder) => ({ name, source })

function modelOf({ manifest, isWhole, arrived, total }: KeptModel): LibraryModel {
  const { key, name, source, about, digest } = manifest
  const state = isWhole ? 'kept' : 'partial'
  return { key, name, source, about, state, arrived, total, ...(isWhole && digest && { digest }) }
}

/** Progress as events, a few a second, with the speed of the last seconds. */
function arrivals(
  key: string,
  emit: (event: LibraryEvent) => void,
): (arrived: number, total: number) => void {
  const seen: { at: number; arrived: number }[] = []
  let last = Number.NEGATIVE_INFINITY
  return (arrived, total) => {
    const at = performance.now()
    if (at - last < ARRIVAL_INTERVAL_MS && arrived < total) return
    last = at
    // A range that breaks off counts anew: time before it says nothing any more.
    if (arrived < (seen.at(-1)?.arrived ?? 0)) seen.length = 0
    seen.push({ at, arrived })
    while (seen.length > 2 && at - seen[1].at > SPEED_WINDOW_MS) seen.shift()
    const [first] = seen
    const seconds = (at - first.at) / 1000
    const bytesPerSecond = seconds > 0.3 ? (arrived - first.arrived) / seconds : null
    emit({ kind: 'arrival', arrival: { key, arrived, total, bytesPerSecond } })
  }
}
