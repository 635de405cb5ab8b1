// Adding models to the library, keeping them, and taking them to the studio.

import type { ModelSummary } from '../../../workers/api.ts'
import type { LibraryContent, LibraryEvent, LibraryModel, ModelSpec } from '../../../workers/libraryApi.ts'
import type { StreamedSource } from '../../../workers/streamedApi.ts'
import { EngineError } from '../../core/errors.ts'
import { t } from '../../language/translate.ts'
import { cancelled } from '../engine.ts'
import { isCancelled, toFailure } from '../failure.ts'
import { forgetFolder, permitFolder, rememberedFolders, rememberFolder } from '../folderHandles.ts'
import { type ConnectLibrary, connectLibrary, type LibraryPort } from '../library.ts'
import type { Activity } from '../slices/library.ts'
import { readState, update } from '../store.ts'
import { announce } from './errors.ts'
import { openAddress, openFolder, openRequest } from './models.ts'
import { tokenOf } from './tokens.ts'

/** What is no plain data: the worker, and how to reach what was looked at. */
const own = {
  connect: connectLibrary as ConnectLibrary,
  port: null as LibraryPort | null,
  opening: null as Promise<void> | null,
  nextCall: 1,
  /** lists asked for so far: one that comes after a newer was asked for is out of date */
  lists: 0,
  specs: new Map<string, ModelSpec>(),
  calls: new Map<string, number>(),
}

/** For tests: another way to a library. */
export function setLibraryConnection(connect: ConnectLibrary): void {
  own.connect = connect
  own.port = null
  own.specs.clear()
  own.calls.clear()
}

const port = (): LibraryPort => {
  if (!own.port) throw new EngineError('file-unsupported', t('The library is not open'))
  return own.port
}

/** Starts the worker and reads what is kept; once, and whoever asks meanwhile waits for it. */
export async function openLibrary(): Promise<void> {
  if (readState().library.status.kind === 'closed') own.opening = startLibrary()
  await own.opening
}

async function startLibrary(): Promise<void> {
  update('library', { status: { kind: 'opening' } })
  try {
    own.port = own.connect()
    takeContent(await own.port.open(handleLibraryEvent))
    update('library', { status: { kind: 'ready' } })
  } catch (error) {
    update('library', { status: { kind: 'failed', failure: toFailure(error) } })
  }
  await refreshFolders()
  update('library', { isPersistent: (await navigator.storage?.persisted?.()) ?? null })
}

export function handleLibraryEvent(event: LibraryEvent): void {
  switch (event.kind) {
    case 'arrival': {
      const { key, arrived, total } = event.arrival
      if (readState().library.activities[key]?.kind !== 'fetching') return
      setActivity(key, { kind: 'fetching', arrival: event.arrival })
      update('library', ({ models }) => ({
        models: models.map((model) => (model.key === key ? { ...model, arrived, total } : model)),
      }))
      return
    }
    case 'note':
      update('library', ({ notes }) => ({ notes: { ...notes, [event.key]: event.note } }))
      announce(event.note)
      return
    case 'changed':
      void refresh()
  }
}

/** Kept models as they are now; those only looked at stay. */
function takeContent({ models, room }: LibraryContent): void {
  update('library', ({ models: before }) => ({
    room,
    models: [
      ...models,
      ...before
        .filter(({ key }) => !models.some((model) => model.key === key) && own.specs.has(key))
        .map((model) => ({ ...model, state: 'streamed' as const, arrived: 0 })),
    ],
  }))
}

async function refresh(): Promise<void> {
  const mine = ++own.lists
  try {
    const content = await port().list()
    if (mine === own.lists) takeContent(content)
  } catch {
    // The next action says what is wrong with the library.
  }
}

function setActivity(key: string, activity: Activity | null): void {
  update('library', ({ activities }) => {
    const { [key]: _before, ...others } = activities
    return { activities: activity ? { ...others, [key]: activity } : others }
  })
}

function setFailure(key: string, error: unknown): void {
  update('library', ({ failures }) => ({ failures: { ...failures, [key]: toFailure(error) } }))
}

export function dismissFailure(key: string): void {
  update('library', ({ failures, notes }) => {
    const { [key]: _failure, ...otherFailures } = failures
    const { [key]: _note, ...otherNotes } = notes
    return { failures: otherFailures, notes: otherNotes }
  })
}

const ADDING = 'adding'

/** Looks at a source and lists it; true when it could be read. */
export async function addModel(spec: ModelSpec, label: string): Promise<boolean> {
  await openLibrary()
  update('library', { adding: label, addFailure: null })
  const id = own.nextCall++
  own.calls.set(ADDING, id)
  try {
    const model = await port().look(id, spec, tokenOf(spec))
    takeModel(model, spec)
    announce(t('{name} is in the library', { name: model.name }))
    return true
  } catch (error) {
    if (!isCancelled(error)) update('library', { addFailure: toFailure(error) })
    return false
  } finally {
    // Another may have been added since, and is still being read.
    if (own.calls.get(ADDING) === id) {
      own.calls.delete(ADDING)
      update('library', { adding: null })
    }
  }
}

function takeModel(model: LibraryModel, spec: ModelSpec): void {
  own.specs.set(model.key, spec)
  update('library', ({ models }) => ({
    models: models.some(({ key }) => key === model.key)
      ? models.map((other) => (other.key === model.key ? model : other))
      : [...models, model],
  }))
}

export function stopAdding(): void {
  const id = own.calls.get(ADDING)
  if (id !== undefined) void port().stop(id)
}

export function dismissAddFailure(): void {
  update('library', { addFailure: null })
}

/** Adds a directory and remembers it for the next visit. */
export async function addFolder(handle: FileSystemDirectoryHandle): Promise<void> {
  const isAdded = await addModel(
    { kind: 'folder', folder: handle },
    t('Reading {name}', { name: handle.name }),
  )
  if (!isAdded) return
  await rememberFolder(handle)
  await refreshFolders()
}

async function refreshFolders(): Promise<void> {
  const open = new Set(
    [...own.specs.values()].flatMap((spec) => (spec.kind === 'folder' ? [spec.folder.name] : [])),
  )
  const folders = (await rememberedFolders()).filter(({ name }) => !open.has(name))
  update('library', { folders: folders.map(({ id, name }) => ({ id, name })) })
}

/** A directory of an earlier visit; the browser asks the user first. */
export async function reopenFolder(id: string): Promise<void> {
  const found = (await rememberedFolders()).find((folder) => folder.id === id)
  if (!found) return
  if (await permitFolder(found.handle)) await addFolder(found.handle)
  else announce(t('{name} stays closed', { name: found.name }))
}

export async function forgetRemembered(id: string): Promise<void> {
  await forgetFolder(id)
  await refreshFolders()
}

/** How to reach a model; undefined for files of an earlier visit. */
export function specOf({ key, source }: LibraryModel): ModelSpec | undefined {
  const spec = own.specs.get(key)
  if (spec && spec.kind !== 'hub') return spec
  if (source.kind === 'hub') return source
  return source.kind === 'url' ? source : undefined
}

/** The model as a source of a merge to disk: from this browser where it is kept, else from where it lies. */
export function streamedSourceOf(model: LibraryModel): StreamedSource | undefined {
  const { key, name, state } = model
  if (state === 'kept') return { kind: 'kept', name, key }
  const spec = specOf(model)
  if (!spec) return undefined
  const token = tokenOf(spec)
  return { kind: 'spec', name, spec, ...(token !== undefined && { token }) }
}

/** Fetches it, or goes on where it stopped. */
export async function keepModel(model: LibraryModel): Promise<void> {
  const { key, name } = model
  const spec = specOf(model)
  if (!spec || readState().library.activities[key]) return
  dismissFailure(key)
  setActivity(key, { kind: 'fetching', arrival: null })
  const id = own.nextCall++
  own.calls.set(key, id)
  try {
    // A browser may clear what nobody asked it to hold on to.
    const isPersistent = (await navigator.storage?.persist?.()) ?? null
    update('library', { isPersistent })
    // Some browsers ask their user first, who may have paused it before answering.
    if (!own.calls.has(key)) throw cancelled()
    takeModel(await port().keep(id, spec, tokenOf(spec)), spec)
    announce(t('{name} is kept in this browser', { name }))
  } catch (error) {
    if (isCancelled(error)) announce(t('{name}: paused', { name }))
    else setFailure(key, error)
  } finally {
    own.calls.delete(key)
    setActivity(key, null)
    await refresh()
  }
}

export function pauseModel(key: string): void {
  const id = own.calls.get(key)
  own.calls.delete(key)
  if (id !== undefined) void port().stop(id)
}

/** Deletes what is here of a model; it stays in the list while it was looked at in this visit. */
export async function deleteModel({ key, name }: LibraryModel): Promise<void> {
  setActivity(key, { kind: 'removing' })
  try {
    await port().remove(key)
    announce(t('{name} was deleted from this browser', { name }))
  } catch (error) {
    setFailure(key, error)
  } finally {
    setActivity(key, null)
    await refresh()
  }
}

/** Opens it for the studio: from this machine where it is kept, else from its source. */
export async function openInStudio(model: LibraryModel): Promise<void> {
  const { key, name, source, digest } = model
  const spec = specOf(model)
  const label = t('Opening {name}', { name })
  let opened: ModelSummary | undefined
  if (source.kind === 'hub') {
    const { repo, commit, hub, part } = source
    const place = { ...(hub && { hub }), ...(part && { part }) }
    opened = await openRequest({ kind: 'hub', repo, revision: commit, ...place }, label)
  } else if (digest) opened = await openRequest({ kind: 'stored', digest }, label)
  else if (spec?.kind === 'url') opened = await openAddress(spec.url)
  else if (spec?.kind === 'folder') opened = await openRequest(spec, label)
  else if (spec?.kind === 'files') opened = await openFolder(spec.files)
  if (!opened) return
  const { id } = opened
  update('library', (library) => ({ opened: { ...library.opened, [key]: id } }))
}

/** Takes a model that is not kept off the list. */
export function forgetModel(key: string): void {
  own.specs.delete(key)
  dismissFailure(key)
  update('library', ({ models }) => ({ models: models.filter((model) => model.key !== key) }))
  void refreshFolders()
}
