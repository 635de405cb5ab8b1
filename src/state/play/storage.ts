// Sets of prompts in this browser's IndexedDB, and nowhere else: the sets as they are edited, and, unchangeable and
// by digest, those that an experiment has named. Nothing here knows the engine.

import type { UserProbeSet } from '../../../workers/api/play.ts'
import { EngineError } from '../../core/errors.ts'
import { t } from '../../language/translate.ts'
import type { PromptRow, ReadReport } from './promptColumns.ts'

const DATABASE = 'alignmerge-prompts'

export interface PromptSet {
  id: string
  name: string
  /** of the file it came in */ columns: string[]
  /** the file's label column; null where it had none */ labelColumn: number | null
  rows: PromptRow[]
  report: ReadReport
  /** ms since 1970 */ savedAt: number
}

/** What the list shows of a set. */
export interface PromptSetHead {
  id: string
  name: string
  count: number
  savedAt: number
}

/** Prompts that an experiment may name. */
export interface KeptProbes extends UserProbeSet {
  digest: string
  /** the set they were taken from */ setId: string
}

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1)
    request.onupgradeneeded = () => {
      request.result.createObjectStore('sets', { keyPath: 'id' })
      request.result.createObjectStore('heads', { keyPath: 'id' })
      request.result.createObjectStore('probes', { keyPath: 'digest' })
    }
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
    request.onblocked = () => reject(new Error(t('another tab keeps an older version open')))
  })
}

type StoreName = 'sets' | 'heads' | 'probes'

/** Runs `work` in one transaction and waits until it is written. */
async function within<T>(
  stores: StoreName[],
  mode: IDBTransactionMode,
  work: (store: (name: StoreName) => IDBObjectStore) => IDBRequest<T> | undefined,
): Promise<T | undefined> {
  let database: IDBDatabase | undefined
  try {
    const opened = await open()
    database = opened
    return await new Promise<T | undefined>((resolve, reject) => {
      const transaction = opened.transaction(stores, mode)
      const request = work((name) => transaction.objectStore(name))
      transaction.oncomplete = () => resolve(request?.result)
      transaction.onabort = () => reject(transaction.error)
      transaction.onerror = () => reject(transaction.error)
    })
  } catch (error) {
    const isFull = error instanceof DOMException && error.name === 'QuotaExceededError'
    throw new EngineError(
      isFull ? 'storage-full' : 'access-refused',
      isFull
        ? t('the browser has no room left for these prompts')
        : t('the browser keeps no prompts here: {reason}', {
            reason: error instanceof Error ? error.message : String(error),
          }),
    )
  } finally {
    database?.close()
  }
}

/** Sets that are kept, the newest first. */
export async function listSets(): Promise<PromptSetHead[]> {
  const heads = await within<PromptSetHead[]>(['heads'], 'readonly', (store) => store('heads').getAll())
  return (heads ?? []).sort((a, b) => b.savedAt - a.savedAt)
}

export const readSet = (id: string): Promise<PromptSet | undefined> =>
  within<PromptSet>(['sets'], 'readonly', (store) => store('sets').get(id))

export async function writeSet(set: PromptSet): Promise<void> {
  const { id, name, rows, savedAt } = set
  await within(['sets', 'heads'], 'readwrite', (store) => {
    store('sets').put(set)
    store('heads').put({ id, name, count: rows.length, savedAt })
    return undefined
  })
}

/** Deletes a set and everything that experiments have named of it. */
export async function deleteSet(id: string): Promise<void> {
  const kept = await within<KeptProbes[]>(['probes'], 'readonly', (store) => store('probes').getAll())
  await within(['sets', 'heads', 'probes'], 'readwrite', (store) => {
    store('sets').delete(id)
    store('heads').delete(id)
    for (const { digest, setId } of kept ?? []) if (setId === id) store('probes').delete(digest)
    return undefined
  })
}

export async function keepProbes(probes: KeptProbes): Promise<void> {
  await within(['probes'], 'readwrite', (store) => {
    store('probes').put(probes)
    return undefined
  })
}

export const findProbes = (digest: string): Promise<KeptProbes | undefined> =>
  within<KeptProbes>(['probes'], 'readonly', (store) => store('probes').get(digest))
