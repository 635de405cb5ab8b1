// @vitest-environment happy-dom
// The library while its worker is slow: what is asked before it is open, stopped before it has begun, listed too late.
import { beforeEach, expect, it, vi } from 'vitest'
import type { LibraryContent, LibraryModel } from '../../../workers/libraryApi.ts'
import { EngineError } from '../../core/errors.ts'
import type { LibraryPort } from '../library.ts'
import { readState } from '../store.ts'
import { resetStudio, settle } from '../testing/freshStudio.ts'
import {
  addModel,
  deleteModel,
  handleLibraryEvent,
  keepModel,
  openLibrary,
  pauseModel,
  setLibraryConnection,
} from './library.ts'

resetStudio()

const model = (name: string): LibraryModel => ({
  ...{ key: name, name, source: { kind: 'url', url: `https://host.example/${name}` }, state: 'streamed' },
  about: { format: 'safetensors', family: 'llama', parameterCount: 1, licence: null } as never,
  ...{ arrived: 0, total: 10 },
})
const spec = (name: string) => ({ kind: 'url' as const, url: `https://host.example/${name}` })
const wait = (ms: number) => new Promise((done) => setTimeout(done, ms))

/** A worker that keeps what it is told to. */
function connect(change: Partial<LibraryPort> = {}) {
  const kept = new Map<string, LibraryModel>()
  const stopped = new Set<number>()
  let isOpen = false
  const content = (): LibraryContent => ({ models: [...kept.values()], room: { used: null, limit: null } })
  const port: LibraryPort = {
    async open() {
      await wait(500)
      isOpen = true
      return content()
    },
    list: async () => content(),
    async look(_id, asked) {
      if (!isOpen) throw new EngineError('file-unsupported', 'the library is not open')
      return model(asked.kind === 'url' ? asked.url.split('/').at(-1)! : asked.kind)
    },
    async keep(id, asked) {
      for (let i = 0; i < 10; i++) {
        await wait(100)
        if (stopped.has(id)) throw new EngineError('cancelled', 'stopped')
      }
      const found = {
        ...model(asked.kind === 'url' ? asked.url.split('/').at(-1)! : ''),
        state: 'kept' as const,
      }
      kept.set(found.key, found)
      return found
    },
    // As the worker does: only a call that is there can be stopped.
    async stop(id) {
      if (calls.has(id)) stopped.add(id)
    },
    async remove(key) {
      kept.delete(key)
    },
    ...change,
  }
  const calls = new Set<number>()
  const { keep } = port
  port.keep = (id, ...rest) => {
    calls.add(id)
    return keep(id, ...rest)
  }
  setLibraryConnection(() => port)
  return { port, kept }
}

beforeEach(() => void vi.stubGlobal('BroadcastChannel', undefined))

const names = () => readState().library.models.map(({ name, state }) => `${name} ${state}`)

it('a model that is added while the library is being opened waits for it', async () => {
  connect()
  void openLibrary()
  void addModel(spec('a'), 'Reading a')
  await settle(2000)
  expect(readState().library.addFailure).toBeNull()
  expect(names()).toEqual(['a streamed'])
})

it('a download that is paused before it has begun does not begin', async () => {
  vi.stubGlobal('navigator', { storage: { persist: () => wait(1000), persisted: async () => false } })
  connect()
  void addModel(spec('a'), 'Reading a')
  await settle(2000)
  void keepModel(readState().library.models[0]!)
  await settle(500)
  pauseModel('a')
  await settle(10_000)
  vi.unstubAllGlobals()
  expect(readState().library.activities).toEqual({})
  expect(names()).toEqual(['a streamed'])
})

it('a list that was read before a model was deleted does not bring it back', async () => {
  const { port, kept } = connect()
  await Promise.all([openLibrary(), settle(2000)])
  kept.set('a', { ...model('a'), state: 'kept' })
  handleLibraryEvent({ kind: 'changed' })
  await settle(10)
  expect(names()).toEqual(['a kept'])
  // Reads what there is now, and takes its time to say so.
  const { list } = port
  port.list = async () => {
    const content = await list()
    await wait(1000)
    return content
  }
  handleLibraryEvent({ kind: 'changed' })
  await settle(10)
  port.list = list
  void deleteModel(readState().library.models[0]!)
  await settle(10_000)
  expect(names()).toEqual([])
})

it('a second model that is added while the first is read can be stopped', async () => {
  const stops: number[] = []
  connect({
    look: async (_id, asked) => {
      const name = asked.kind === 'url' ? asked.url.split('/').at(-1)! : ''
      await wait(name === 'a' ? 1000 : 5000)
      return model(name)
    },
    stop: async (id) => void stops.push(id),
  })
  await Promise.all([openLibrary(), settle(2000)])
  void addModel(spec('a'), 'Reading a')
  await settle(500)
  void addModel(spec('b'), 'Reading b')
  await settle(1000)
  expect(readState().library.adding).toBe('Reading b')
  await settle(10_000)
  expect(readState().library.adding).toBeNull()
})
