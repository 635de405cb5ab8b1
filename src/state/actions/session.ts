// What must not be in the store because it is no plain data: the connection, the job counter, the user's files.

import type { PlayEvent } from '../../../workers/api/play.ts'
import type { LabellerRequest } from '../../../workers/api.ts'
import { type Connect, type Connection, connectWorker } from '../engine.ts'

export const session = {
  connect: connectWorker as Connect,
  connection: null as Connection | null,
  nextJobId: 1,
  /** Files that the user dropped, by origin key, to open them again after the device was lost. */
  files: new Map<string, File[]>(),
  /** Directories that were opened, likewise. */
  folders: new Map<string, FileSystemDirectoryHandle>(),
  /** The labeller that is plugged in, to open it again. */
  labeller: { kind: 'built-in' } as LabellerRequest,
  /** Every key a result was asked for; anything else that arrives is not ours. */
  expectedKeys: new Set<string>(),
  /** The playground's ear, once it has been opened. */
  onPlay: null as ((event: PlayEvent) => void) | null,
}
