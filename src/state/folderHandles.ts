// Directories that the user picked, remembered in IndexedDB so that a reopened page can ask for them again. The handle
// alone is kept: no file, no path, and the browser asks the user before it works again.

export interface RememberedFolder {
  id: string
  name: string
  handle: FileSystemDirectoryHandle
}

const DATABASE = 'alignmerge-folders'
const TABLE = 'folders'

async function withTable<T>(
  mode: IDBTransactionMode,
  work: (table: IDBObjectStore) => IDBRequest<T>,
): Promise<T> {
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1)
    request.onupgradeneeded = () => request.result.createObjectStore(TABLE, { keyPath: 'id' })
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
  try {
    return await new Promise<T>((resolve, reject) => {
      const request = work(database.transaction(TABLE, mode).objectStore(TABLE))
      request.onsuccess = () => resolve(request.result)
      request.onerror = () => reject(request.error)
    })
  } finally {
    database.close()
  }
}

/** Everything remembered; nothing where the browser has no database for us. */
export async function rememberedFolders(): Promise<RememberedFolder[]> {
  try {
    return await withTable<RememberedFolder[]>('readonly', (table) => table.getAll())
  } catch {
    return []
  }
}

/** Remembers a directory under its name; the same one again replaces itself. */
export async function rememberFolder(handle: FileSystemDirectoryHandle): Promise<void> {
  for (const known of await rememberedFolders())
    if (await known.handle.isSameEntry(handle)) await forgetFolder(known.id)
  try {
    await withTable('readwrite', (table) =>
      table.put({ id: `${handle.name} ${Date.now()}`, name: handle.name, handle }),
    )
  } catch {
    // Without a memory the user picks it again.
  }
}

export async function forgetFolder(id: string): Promise<void> {
  await withTable('readwrite', (table) => table.delete(id))
}

interface Permitted {
  requestPermission(options: { mode: 'read' }): Promise<PermissionState>
}

/** Asks for the permission, which needs a click; handles without permissions need none. */
export async function permitFolder(handle: FileSystemDirectoryHandle): Promise<boolean> {
  if (!('requestPermission' in handle)) return true
  return (await (handle as unknown as Permitted).requestPermission({ mode: 'read' })) === 'granted'
}

interface Picker {
  showDirectoryPicker(options: { mode: 'read'; id: string }): Promise<FileSystemDirectoryHandle>
}

const hasPicker = (scope: object): scope is Picker => 'showDirectoryPicker' in scope

export const canPickFolder = (): boolean => hasPicker(globalThis)

/** The user's choice; undefined when the picker was closed. */
export async function pickFolder(): Promise<FileSystemDirectoryHandle | undefined> {
  const scope: object = globalThis
  if (!hasPicker(scope)) return undefined
  try {
    return await scope.showDirectoryPicker({ mode: 'read', id: 'alignmerge-models' })
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') return undefined
    throw error
  }
}
