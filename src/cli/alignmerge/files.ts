// Files written so that an interrupted command leaves none half written: beside the target first, then renamed.

import { randomUUID } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { EngineError } from '../../core/errors.ts'

/** Streams `chunks` into `path`. */
export async function writeWhole(path: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const part = `${path}.${randomUUID().slice(0, 8)}.part`
  try {
    const handle = await open(part, 'w')
    try {
      for await (const chunk of chunks) await handle.writeFile(chunk)
    } finally {
      await handle.close()
    }
    await rename(part, path)
  } catch (error) {
    await rm(part, { force: true })
    if (error instanceof EngineError) throw error
    throw new EngineError('file-missing', `cannot write ${path}: ${(error as Error).message}`)
  }
}
