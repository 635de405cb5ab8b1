// What must not be in the store because it is no plain data: the connection, the job counter, the user's files.

import type { PlayEvent } from '../../../workers/api/play.ts'
import type { LabellerRequest } from '../../../workers/api.ts'
import { type Connect, type Connection, connectCpu, connectWorker } from '../engine.ts'

async function readShippedFile(name: string): Promise<unknown> {
  try {
    const response = await fetch(new URL(`results/${name}.json`, document.baseURI))
    return response.ok ? await response.json() : undefined
  } catch {
    // They are a convenience: without them the page measures.
    return undefined
  }
}

export const session = {
  connect: connectWorker as Connect,
  /** The way to an engine without WebGPU; null in tests that are about having none at all. */
  connectCpu: connectCpu as Connect | null,
  /** The user asked for it although there is WebGPU. */
  prefersCpu: false,
  connection: null as Connection | null,
  nextJobId: 1,
  /** Files that the user dropped, by origin key, to open them again after the device was lost. */
  files: new Map<string, File[]>(),
  /** Directories that were opened, likewise. */
  folders: new Map<string, FileSystemDirectoryHandle>(),
  /** The labeller that is plugged in, to open it again. */
  labeller: { kind: 'built-in' } as LabellerRequest,
  /** Reads a file of results that come with the page; undefined where there is none. */
  readShipped: readShippedFile as (name: string) => Promise<unknown>,
  /** Every key a result was asked for; anything else that arrives is not ours. */
  expectedKeys: new Set<string>(),
  /** The playground's ear, once it has been opened. */
  onPlay: null as ((event: PlayEvent) => void) | null,
}
