// The files of a dropped folder. Browsers give entries, to be walked one by one; a plain drop of files works too.

/** Deeper folders are no part of a model; this also ends a walk through somebody's whole disk. */
const maxDepth = 2
const maxFiles = 200

function isDirectory(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile
}

async function listDirectory(directory: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = directory.createReader()
  const entries: FileSystemEntry[] = []
  for (;;) {
    // A reader hands out a hundred at a time and ends with none.
    const batch = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    )
    if (batch.length === 0 || entries.length > maxFiles) return entries
    entries.push(...batch)
  }
}

async function walk(entry: FileSystemEntry, depth: number, files: File[]): Promise<void> {
  if (files.length >= maxFiles || entry.name.startsWith('.')) return
  if (isFile(entry)) files.push(await new Promise<File>((resolve, reject) => entry.file(resolve, reject)))
  else if (isDirectory(entry) && depth < maxDepth)
    for (const child of await listDirectory(entry)) await walk(child, depth + 1, files)
}

export async function collectDroppedFiles(transfer: DataTransfer): Promise<File[]> {
  // Entries must be taken before the first await: the list is empty afterwards.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null)
  if (entries.length === 0) return [...transfer.files]
  const files: File[] = []
  for (const entry of entries) await walk(entry, 0, files)
  return files
}

/** What was dropped: one folder as a handle, where the browser gives one, else its files. */
export async function collectDropped(
  transfer: DataTransfer,
): Promise<{ folder: FileSystemDirectoryHandle; files?: never } | { folder?: never; files: File[] }> {
  const items = [...transfer.items].filter(({ kind }) => kind === 'file')
  const [only] = items
  // Both must be asked before the first await: the list is empty afterwards.
  const asked = items.length === 1 && only && givesHandles(only) ? only.getAsFileSystemHandle() : undefined
  const files = collectDroppedFiles(transfer)
  const handle = await asked?.catch(() => null)
  if (handle?.kind === 'directory') return { folder: handle as FileSystemDirectoryHandle }
  return { files: await files }
}

const givesHandles = (item: object): item is { getAsFileSystemHandle(): Promise<FileSystemHandle | null> } =>
  'getAsFileSystemHandle' in item
