// Merges that were written into this browser: listed, saved to the disk, taken to the studio, deleted.

import { JOURNAL_FILE } from '../../core/files/output/journalFile.ts'
import { PRIVATE_MERGES } from '../../share/merges.ts'
import { openFolder } from '../actions/models.ts'
import { setPage } from '../actions/view.ts'
import { toFailure } from '../failure.ts'
import { type KeptMerge, useStreamed } from './store.ts'

type Entries = AsyncIterable<[string, FileSystemHandle]>

async function mergesFolder(): Promise<FileSystemDirectoryHandle> {
  const root = await navigator.storage.getDirectory()
  return root.getDirectoryHandle(PRIVATE_MERGES, { create: true })
}

/** Files of one merge; they stay on disk until they are read. */
async function filesOf(handle: FileSystemDirectoryHandle): Promise<File[]> {
  const files: File[] = []
  for await (const [, entry] of handle as unknown as Entries)
    if (entry.kind === 'file') files.push(await (entry as FileSystemFileHandle).getFile())
  return files.sort((a, b) => (a.name < b.name ? -1 : 1))
}

async function attempt(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    useStreamed.setState({ failure: toFailure(error) })
  }
}

/** Nothing where the browser keeps no files for the page. */
export async function refreshKept(): Promise<void> {
  if (!navigator.storage?.getDirectory) return
  await attempt(async () => {
    const kept: KeptMerge[] = []
    for await (const [name, entry] of (await mergesFolder()) as unknown as Entries) {
      if (entry.kind !== 'directory') continue
      const files = await filesOf(entry as FileSystemDirectoryHandle)
      const isFinished = files.length > 0 && files.every((file) => file.name !== JOURNAL_FILE)
      kept.push({ name, isFinished, bytes: files.reduce((sum, { size }) => sum + size, 0) })
    }
    useStreamed.setState({ kept: kept.sort((a, b) => (a.name < b.name ? -1 : 1)) })
  })
}

/** Hands every file to the browser's downloads, which read them from where they are. */
export const saveKept = (name: string): Promise<void> =>
  attempt(async () => {
    const merges = await mergesFolder()
    for (const file of await filesOf(await merges.getDirectoryHandle(name))) {
      const address = URL.createObjectURL(file)
      const anchor = document.createElement('a')
      anchor.href = address
      anchor.download = file.name
      anchor.click()
      // The download has its own reference to the bytes once it has begun.
      setTimeout(() => URL.revokeObjectURL(address), 60_000)
    }
  })

/** Opens it in the engine, to be measured as anchor or expert. */
export const useKept = (name: string): Promise<void> =>
  attempt(async () => {
    const merges = await mergesFolder()
    const files = await filesOf(await merges.getDirectoryHandle(name))
    setPage('studio')
    await openFolder(files)
  })

export const deleteKept = (name: string): Promise<void> =>
  attempt(async () => {
    await (await mergesFolder()).removeEntry(name, { recursive: true })
    await refreshKept()
  })
