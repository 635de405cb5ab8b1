// @vitest-environment happy-dom
// The page Merge over workers that die: what they had open is opened again in the next one.
import { beforeEach, expect, it, vi } from 'vitest'
import type { StreamedApi, StreamedSource } from '../../../workers/streamedApi.ts'
import { addSource, forgetStreamed, startMerge } from './actions.ts'
import { useStreamed } from './store.ts'

/** Workers so far, and what each has open. */
const workers: { worker: EventTarget; open: string[] }[] = []

vi.stubGlobal(
  'Worker',
  class extends EventTarget {
    constructor() {
      super()
      workers.push({ worker: this, open: [] })
    }
  },
)
vi.mock('comlink', async (original) => ({
  ...(await original<typeof import('comlink')>()),
  proxy: (value: unknown) => value,
  wrap: (): Partial<Record<keyof StreamedApi, unknown>> => {
    const own = workers.at(-1)!
    return {
      preflight: async () => ({ findings: [], canMerge: true }),
      open: async (sources: StreamedSource[]) => {
        own.open = sources.map(({ name }) => name)
        return own.open.map((name) => ({
          name,
          architecture: '',
          parameterCount: 1,
          byteLength: 1,
          storage: '',
          notes: [],
        }))
      },
      estimate: async () => ({ tensors: 1, layers: 1, bytes: 1, readBytes: 1, largestTiles: 1, notes: [] }),
      start: () => {
        if (own.open.length === 0) return Promise.reject(new Error('no model is open'))
        return workers.length === 1 ? new Promise(() => {}) : Promise.resolve({ files: [] })
      },
    }
  },
}))

beforeEach(() => forgetStreamed())

it('a merge whose worker died is gone on with in another', async () => {
  for (const id of ['a', 'b']) await addSource({ kind: 'built-in', name: id, id })
  useStreamed.setState({ method: 'linear', target: { kind: 'private', name: 'merge' } })
  for (const part of useStreamed.getState().parts) expect(part.fault).toBeUndefined()
  useStreamed.setState(({ parts }) => ({ parts: parts.map((part) => ({ ...part, role: 'model' as const })) }))
  const first = startMerge()
  await vi.waitFor(() => expect(useStreamed.getState().status.kind).toBe('running'))
  workers[0]!.worker.dispatchEvent(new ErrorEvent('error', { message: 'out of memory' }))
  await first
  expect(useStreamed.getState()).toMatchObject({
    status: { kind: 'stopped' },
    failure: { message: expect.stringContaining('out of memory') },
  })
  await startMerge()
  expect(useStreamed.getState()).toMatchObject({ status: { kind: 'done' }, failure: null })
  expect(workers.map(({ open }) => open)).toEqual([
    ['a', 'b'],
    ['a', 'b'],
  ])
})
