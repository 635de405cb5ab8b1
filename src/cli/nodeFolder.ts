// Folders and files of the local disk as the core reads them.

import { open, readdir, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { COPIED_FILES } from '../core/files/exporter.ts'
import type { CheckpointFolder } from '../core/files/folder.ts'
import { shardPaths } from '../core/files/formats/gguf/shards.ts'
import { type ByteSource, type Bytes, checkRange } from '../core/files/source.ts'

/** A file read in ranges; opened for each read, so nothing has to be closed. */
export class FileSource implements ByteSource {
  readonly name: string
  readonly size: number
  private readonly path: string
  private constructor(path: string, size: number) {
    this.path = path
    this.name = basename(path)
    this.size = size
  }
  static async open(path: string): Promise<FileSource> {
    return new FileSource(path, (await stat(path)).size)
  }
  async read(offset: number, length: number): Promise<Bytes> {
    checkRange(this, offset, length)
    const handle = await open(this.path)
    try {
      const bytes = new Uint8Array(length)
      await handle.read(bytes, 0, length, offset)
      return bytes
    } finally {
      await handle.close()
    }
  }
}

const filesIn = async (path: string): Promise<string[]> =>
  (await readdir(path, { withFileTypes: true }))
    .filter((entry) => !entry.isDirectory())
    .map((entry) => entry.name)

/**
 * The files directly inside a directory and those of its folder `onnx`, where Hugging Face repositories keep ONNX
 * builds. Such a folder given by itself takes config and tokenizer from the repository around it. A file, which is what
 * a GGUF model is, stands for itself and the other parts of its model.
 */
export async function nodeFolder(path: string): Promise<CheckpointFolder> {
  const places = (await stat(path)).isFile() ? await partsOf(path) : await placesIn(path)
  return {
    name: basename(path),
    list: () => [...places.keys()],
    async file(name) {
      const place = places.get(name)
      return place === undefined ? undefined : FileSource.open(place)
    },
  }
}

/** Files of a model in one file, by name. */
async function partsOf(path: string): Promise<Map<string, string>> {
  const folder = dirname(resolve(path))
  const there = await filesIn(folder)
  const parts = [basename(path), ...shardPaths(basename(path))].filter((name) => there.includes(name))
  return new Map(parts.map((name) => [name, join(folder, name)]))
}

async function placesIn(path: string): Promise<Map<string, string>> {
  const places = new Map((await filesIn(path)).map((name) => [name, join(path, name)]))
  const inner = await filesIn(join(path, 'onnx')).catch(() => [])
  for (const name of inner) places.set(`onnx/${name}`, join(path, 'onnx', name))
  const around = dirname(resolve(path))
  if (basename(resolve(path)) === 'onnx' && !places.has('config.json'))
    for (const name of ['config.json', ...COPIED_FILES])
      if ((await filesIn(around)).includes(name)) places.set(name, join(around, name))
  return places
}
