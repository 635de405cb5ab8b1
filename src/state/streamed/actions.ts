// What the page "Merge" can do. The worker keeps opened models; the page keeps what it says of them.

import type { MergeProgress, StreamedRequest, StreamedSource } from '../../../workers/streamedApi.ts'
import { EngineError } from '../../core/errors.ts'
import { t } from '../../language/translate.ts'
import { findMethod, type ParameterScalar } from '../../share/methods.ts'
import { isCancelled, toFailure } from '../failure.ts'
import { readState } from '../store.ts'
import { callStreamed, type StreamedPort, startStreamed, streamedPort } from './port.ts'
import {
  initialStreamed,
  type Part,
  type StreamedState,
  splitParameters,
  streamedFault,
  useStreamed,
} from './store.ts'

const set = (change: Partial<StreamedState>): void => useStreamed.setState(change)
const read = (): StreamedState => useStreamed.getState()

/** Sources in the order in which they were added; handles and files stay on this side. */
let sources: StreamedSource[] = []
let directory: FileSystemDirectoryHandle | undefined
/** The worker that has the sources open: one that took the place of a dead one has none. */
let openedIn: StreamedPort | undefined

/** Has the worker open sources, and says what it found. */
async function openIn(next: StreamedSource[]) {
  const port = streamedPort()
  const found = await callStreamed((remote) => remote.open(next))
  openedIn = port
  return found
}

/** The sources stand in the worker that is about to be asked. */
async function assertOpen(): Promise<void> {
  if (openedIn !== streamedPort()) await openIn(sources)
}

function fail(error: unknown): void {
  if (!isCancelled(error)) set({ failure: toFailure(error) })
}

let opening: Promise<void> = Promise.resolve()

/** One after another: what is dropped while another model is opened is added to both. */
function changeSources(change: (now: readonly StreamedSource[]) => StreamedSource[]): Promise<void> {
  opening = opening.then(async () => {
    if (read().status.kind === 'running')
      fail(
        new EngineError(
          'request-invalid',
          t('the models stay as they are until the merge is done or stopped'),
        ),
      )
    else await openAll(change(sources))
  })
  return opening
}

async function openAll(next: StreamedSource[]): Promise<void> {
  set({ status: { kind: 'opening' }, preflight: null, estimate: null, failure: null })
  try {
    if (next.length > 0) set({ preflight: await callStreamed((remote) => remote.preflight(next, 2)) })
    const found = await openIn(next)
    sources = next
    const known = new Map(read().parts.map((part) => [part.name, part]))
    const parts = found.map((model): Part => {
      const before = known.get(model.name)
      const role = before && before.fault === undefined ? before.role : 'model'
      return { ...model, role: model.fault === undefined ? role : 'unused', weight: before?.weight ?? 1 }
    })
    set({ parts: withFittingBase(parts), status: { kind: 'idle' } })
    await refreshEstimate()
  } catch (error) {
    set({ status: { kind: 'idle' } })
    fail(error)
  }
}

/** The first model is the base of methods that need one, and one of the merged where there is none. */
function withFittingBase(parts: Part[]): Part[] {
  const kind = findMethod(read().method)?.base
  const isBase = ({ role }: Part) => role === 'base'
  if (kind === 'none') return parts.map((part) => (isBase(part) ? { ...part, role: 'model' } : part))
  if (kind !== 'required' || parts.some(isBase)) return parts
  const first = parts.find(({ fault }) => fault === undefined)
  return parts.map((part) => (part === first ? { ...part, role: 'base' } : part))
}

/** A folder that was dropped or chosen; named by its own name, and a number where that is taken. */
export async function addFiles(files: File[]): Promise<void> {
  if (files.length === 0) return
  const folder = files[0].webkitRelativePath.split('/')[0] || files[0].name
  await changeSources((now) => {
    const taken = new Set(now.map(({ name }) => name))
    let name = folder
    for (let i = 2; taken.has(name); i++) name = `${folder} ${i}`
    return [...now, { kind: 'files', name, files }]
  })
}

/** Models of the library and those built in, by what the page shows of them. */
export async function addSource(source: StreamedSource): Promise<void> {
  await changeSources((now) => [...now.filter(({ name }) => name !== source.name), source])
}

export async function removeSource(name: string): Promise<void> {
  await changeSources((now) => now.filter((source) => source.name !== name))
}

export function setRole(name: string, role: Part['role']): void {
  set({ parts: read().parts.map((part) => (part.name === name ? { ...part, role } : part)) })
  void refreshEstimate()
}

export function setPartWeight(name: string, weight: number): void {
  set({ parts: read().parts.map((part) => (part.name === name ? { ...part, weight } : part)) })
}

export function setStreamedMethod(method: string): void {
  set({ method, parameters: {} })
  set({ parts: withFittingBase(read().parts) })
  void refreshEstimate()
}

export function setStreamedParameter(id: string, value: ParameterScalar): void {
  set({ parameters: { ...read().parameters, [id]: value } })
}

export function setStreamed(
  change: Partial<Pick<StreamedState, 'storedAs' | 'writtenAs' | 'vocabulary' | 'budget' | 'seed'>>,
): void {
  set(change)
  void refreshEstimate()
}

export function setPrivateTarget(name: string): void {
  set({ target: { kind: 'private', name: name.replace(/[^\w.-]+/g, '-').slice(0, 60) } })
}

export const canPickDirectory = (): boolean => 'showDirectoryPicker' in globalThis

export async function pickDirectory(): Promise<void> {
  const { showDirectoryPicker } = globalThis as unknown as {
    showDirectoryPicker(options: { mode: 'readwrite' }): Promise<FileSystemDirectoryHandle>
  }
  try {
    directory = await showDirectoryPicker({ mode: 'readwrite' })
    set({ target: { kind: 'directory', name: directory.name } })
  } catch (error) {
    if (!(error instanceof DOMException && error.name === 'AbortError')) fail(error)
  }
}

function requestOf(state: StreamedState): StreamedRequest {
  const fault = streamedFault(state)
  if (fault !== undefined) throw new EngineError('request-invalid', fault)
  const { own, ofModels, hasWeight } = splitParameters(state)
  const base = state.parts.find(({ role }) => role === 'base')
  const { target } = state
  if (target.kind === 'private' && target.name === '')
    throw new EngineError('request-invalid', t('the folder needs a name'))
  return {
    method: state.method,
    parameters: own,
    models: state.parts
      .filter(({ role }) => role === 'model')
      .map(({ name, weight }) => ({ name, parameters: { ...ofModels, ...(hasWeight && { weight }) } })),
    ...(base && { base: base.name }),
    seed: state.seed,
    storedAs: state.storedAs,
    writtenAs: state.writtenAs,
    vocabulary: state.vocabulary,
    output:
      target.kind === 'private'
        ? { kind: 'private', name: target.name }
        : { kind: 'directory', handle: directory! },
    budget: state.budget * 1e6,
  }
}

let asked = 0

export async function refreshEstimate(): Promise<void> {
  const state = read()
  const turn = ++asked
  if (state.parts.length === 0 || streamedFault(state) !== undefined) {
    set({ estimate: null })
    return
  }
  try {
    await assertOpen()
    const estimate = await callStreamed((remote) => remote.estimate(requestOf(state)))
    if (turn === asked) set({ estimate, failure: null })
  } catch (error) {
    if (turn !== asked) return
    set({ estimate: null })
    fail(error)
  }
}

function onProgress(progress: MergeProgress): void {
  const { status } = read()
  if (status.kind === 'running') set({ status: { ...status, progress } })
}

/** On an adapter that fails the self-test every number would be a wrong one. */
function assertTrusted(): void {
  const { selfTest } = readState().models
  if (selfTest?.passed !== false) return
  const failed = selfTest.rows.filter((row) => row.failed > 0).length
  throw new EngineError(
    'check-failed',
    t(
      '{adapter} computes wrong numbers in {failed} of {count} checks: merging is off. Update the browser or the graphics driver, or use another adapter',
      { adapter: selfTest.adapter, failed, count: selfTest.rows.length },
    ),
  )
}

/** Begins the merge, or goes on with one that was stopped. */
export async function startMerge(): Promise<void> {
  try {
    assertTrusted()
    const request = requestOf(read())
    // What cannot be stopped yet does not offer it.
    set({ status: { kind: 'opening' }, failure: null })
    await assertOpen()
    set({ status: { kind: 'running', isPaused: false, progress: null } })
    const result = await startStreamed(request, onProgress)
    set({ status: { kind: 'done', result } })
  } catch (error) {
    const { status } = read()
    set({ status: { kind: 'stopped', progress: status.kind === 'running' ? status.progress : null } })
    fail(error)
  }
}

export function togglePause(): void {
  const { status } = read()
  if (status.kind !== 'running') return
  const isPaused = !status.isPaused
  set({ status: { ...status, isPaused } })
  void callStreamed((remote) => (isPaused ? remote.pause() : remote.resume()))
}

export function stopMerge(): void {
  void callStreamed((remote) => remote.cancel())
}

/** Forgets everything, for tests. */
export function forgetStreamed(): void {
  sources = []
  directory = undefined
  openedIn = undefined
  useStreamed.setState(initialStreamed(), true)
}
