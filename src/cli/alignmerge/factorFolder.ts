// Rows of A in factored form on the disk: two files of float32 for each weight, written as the layers go by.

import { mkdir, open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { EngineError } from '../../core/errors.ts'
import type { FactorStore } from '../../core/geometry/factoredRows.ts'

export interface FactorFolder extends FactorStore {
  /** bytes written */
  readonly byteLength: number
  remove(): Promise<void>
}

export async function factorFolder(
  folder: string,
  shapes: ReadonlyMap<string, readonly [number, number]>,
): Promise<FactorFolder> {
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  let byteLength = 0
  const pathOf = (name: string, part: 'dy' | 'x') => join(folder, `${name}.${part}.f32`)
  const write = async (path: string, values: Float32Array, at: number) => {
    const handle = await open(path, at === 0 ? 'w' : 'r+')
    try {
      await handle.write(
        new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
        0,
        undefined,
        at,
      )
      byteLength += values.byteLength
    } finally {
      await handle.close()
    }
  }
  const read = async (name: string, part: 'dy' | 'x') => {
    const bytes = await readFile(pathOf(name, part)).catch(() => {
      throw new EngineError('file-missing', 'there are no factors of this weight', { tensor: name })
    })
    return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))
  }
  return {
    get byteLength() {
      return byteLength
    },
    async put(name, firstToken, { dy, x }) {
      const [N, K] = shapes.get(name)!
      await write(pathOf(name, 'dy'), dy, firstToken * N * 4)
      await write(pathOf(name, 'x'), x, firstToken * K * 4)
    },
    async read(name) {
      return { dy: await read(name, 'dy'), x: await read(name, 'x') }
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}
