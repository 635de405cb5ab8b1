// A Fisher file that grows on the disk: sums are added where they stand, so that no model-sized array is held.

import { open, rename, rm } from 'node:fs/promises'
import { EngineError } from '../../core/errors.ts'
import type { BoundLayout } from '../../core/files/boundFile.ts'
import type { FisherOutput } from '../../core/geometry/streamedFisher.ts'
import { FileSource } from '../nodeFolder.ts'

/** Runs `work`, which adds to the file's tensors, and puts the finished file to `path`; resolves to its content hash. */
export async function writeInPlace(
  path: string,
  layout: BoundLayout,
  work: (out: FisherOutput) => Promise<void>,
  signal: AbortSignal,
): Promise<string> {
  const part = `${path}.part`
  const places = new Map(layout.tensors.map((tensor) => [tensor.name, tensor]))
  const handle = await open(part, 'w+').catch((error: Error) => {
    throw new EngineError('file-missing', `cannot write ${path}: ${error.message}`)
  })
  try {
    // What nobody writes reads as zeros.
    await handle.truncate(layout.byteLength)
    await work({
      async add(name, start, values) {
        const place = places.get(name)
        if (!place) throw new EngineError('request-invalid', 'the file has no such weight', { tensor: name })
        const at = place.offset + 4 * start
        const before = new Float32Array(values.length)
        await handle.read(new Uint8Array(before.buffer), 0, before.byteLength, at)
        for (let i = 0; i < before.length; i++) before[i] += values[i]
        await handle.write(new Uint8Array(before.buffer), 0, before.byteLength, at)
      },
    })
    await handle.write(layout.header(), 0, undefined, 0)
    const content = await layout.hash(await FileSource.open(part), signal)
    await handle.write(layout.header(content), 0, undefined, 0)
    await handle.datasync()
    await handle.close()
    await rename(part, path)
    return content
  } catch (error) {
    await handle.close().catch(() => undefined)
    await rm(part, { force: true })
    throw error
  }
}
