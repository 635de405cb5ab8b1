// What must not be in the store because it is no plain data: the connection, the job counter, the user's files.

import { type Connect, type Connection, connectWorker } from '../engine.ts'

export const session = {
  connect: connectWorker as Connect,
  connection: null as Connection | null,
  nextJobId: 1,
  /** Files that the user dropped, by origin key, to open them again after the device was lost. */
  files: new Map<string, File[]>(),
  /** Every key a result was asked for; anything else that arrives is not ours. */
  expectedKeys: new Set<string>(),
}
