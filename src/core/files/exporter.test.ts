import { unzipSync } from 'fflate'
import { describe, expect, it } from 'vitest'
import { concat, expectFailure, tinyConfig, tinyFiles, tinyTensors } from '../../testing/tinyCheckpoint.ts'
import { decodeWeights, encodeWeights, type WeightType } from '../tensors/dtype.ts'
import { type Checkpoint, openCheckpoint } from './checkpoint.ts'
import { type ExportEntry, exportFolder, writeDirectory, zipFolder } from './exporter.ts'
import { memoryFolder } from './folder.ts'

/** Entries of the tiny checkpoint with every weight doubled. */
async function doubled(type: WeightType = 'f16', config = tinyConfig()) {
  const files = tinyFiles(config)
  const anchor = await openCheckpoint(memoryFolder('tiny', files))
  const entries = await exportFolder({
    anchor,
    type,
    card: '# Merged\n',
    readWeight: async ({ name }, signal) => {
      const { bytes, type: stored } = await anchor.readWeight(name, signal)
      return encodeWeights(
        decodeWeights(bytes, stored).map((v) => 2 * v),
        type,
      )
    },
  })
  return { anchor, entries, files }
}

async function content(entry: ExportEntry): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const chunk of entry.chunks()) parts.push(chunk)
  return concat(parts)
}

async function expectDoubled(written: ReadonlyMap<string, Uint8Array>, anchor: Checkpoint) {
  const again = await openCheckpoint(memoryFolder('again', written))
  expect(again.dtype).toBe('f16')
  expect(again.files[0].metadata).toEqual({ format: 'pt' })
  for (const { name } of again.weights) {
    const ours = await again.readWeight(name)
    const theirs = await anchor.readWeight(name)
    const expected = decodeWeights(theirs.bytes, theirs.type).map((v) => 2 * v)
    expect(decodeWeights(ours.bytes, ours.type)).toEqual(decodeWeights(encodeWeights(expected, 'f16'), 'f16'))
  }
}

describe('exportFolder', () => {
  it('lists a whole folder with true sizes, tokenizer files unchanged', async () => {
    const { entries, files } = await doubled()
    expect(entries.map(({ path }) => path)).toEqual([
      'config.json',
      'generation_config.json',
      'tokenizer.json',
      'tokenizer_config.json',
      'model.safetensors',
      'README.md',
    ])
    for (const entry of entries) expect((await content(entry)).byteLength).toBe(entry.byteLength)
    const text = async (path: string) =>
      new TextDecoder().decode(await content(entries.find((entry) => entry.path === path)!))
    for (const path of ['tokenizer.json', 'tokenizer_config.json', 'generation_config.json'])
      expect(await text(path)).toBe(files.get(path))
    expect(JSON.parse(await text('config.json'))).toEqual({ ...tinyConfig(), torch_dtype: 'float16' })
    expect(await text('README.md')).toBe('# Merged\n')
    const newer = await doubled('bf16', { ...tinyConfig(), dtype: 'float32' })
    const config = JSON.parse(new TextDecoder().decode(await content(newer.entries[0])))
    expect(config).toMatchObject({ dtype: 'bfloat16', torch_dtype: 'bfloat16' })
  })

  it('asks for one weight at a time, in file order', async () => {
    const anchor = await openCheckpoint(memoryFolder('tiny', tinyFiles()))
    const asked: string[] = []
    const entries = await exportFolder({
      anchor,
      type: 'bf16',
      card: '',
      readWeight: async ({ name }) => {
        asked.push(name)
        return (await anchor.readWeight(name)).bytes
      },
    })
    const weights = entries.find(({ path }) => path === 'model.safetensors')!
    const chunks = weights.chunks()[Symbol.asyncIterator]()
    await chunks.next()
    expect(asked).toEqual([])
    await chunks.next()
    expect(asked).toEqual(['model.embed_tokens.weight'])
    expect(await content(weights)).toEqual(tinyFiles().get('model.safetensors'))
    expect(asked.slice(1)).toEqual(tinyTensors().map(({ name }) => name))
  })
})

describe('zipFolder', () => {
  it('makes a zip that opens as the merged checkpoint', async () => {
    const { anchor, entries } = await doubled()
    const reports: [number, number][] = []
    const zip = await zipFolder(entries, { onProgress: (...report) => reports.push(report) })
    expect(zip.type).toBe('application/zip')
    const written = new Map(Object.entries(unzipSync(new Uint8Array(await zip.arrayBuffer()))))
    expect([...written.keys()]).toEqual(entries.map(({ path }) => path))
    await expectDoubled(written, anchor)
    const total = entries.reduce((sum, { byteLength }) => sum + byteLength, 0)
    expect(reports.at(-1)).toEqual([total, total])
    const below = await zipFolder(entries.slice(0, 1), { folder: 'merged' })
    expect(Object.keys(unzipSync(new Uint8Array(await below.arrayBuffer())))).toEqual(['merged/config.json'])
  })

  it('moves pieces into Blobs on the way and keeps their order', async () => {
    const size = 40 * 2 ** 20
    const entry: ExportEntry = {
      path: 'large',
      byteLength: 4 * size,
      async *chunks() {
        for (let i = 1; i <= 4; i++) yield new Uint8Array(size).fill(i)
      },
    }
    const zip = await zipFolder([entry])
    expect(zip.size).toBeGreaterThan(4 * size)
    // Uncompressed, so each value stands in its own 40 MB after the record of the file.
    for (let i = 1; i <= 4; i++) {
      const at = (i - 0.5) * size
      expect([...new Uint8Array(await zip.slice(at, at + 4).arrayBuffer())]).toEqual([i, i, i, i])
    }
  })

  it('refuses what no zip can hold, wrong lengths, and stops when asked', async () => {
    const { entries } = await doubled()
    const large = { ...entries[0], byteLength: 2 ** 32 }
    await expectFailure(zipFolder([large]), 'file-unsupported')
    const wrong = { ...entries[0], byteLength: 3 }
    await expectFailure(zipFolder([wrong]), 'request-invalid', { file: 'config.json' })
    await expectFailure(zipFolder(entries, { signal: AbortSignal.abort() }), 'cancelled')
  })
})

/** A directory in memory that can refuse to write one path. */
function directory(refused?: string) {
  const written = new Map<string, Uint8Array>()
  const aborted: string[] = []
  const handle = {
    getFileHandle: async (path: string, options: { create: boolean }) => ({
      createWritable: async () => {
        expect(options.create).toBe(true)
        const parts: Uint8Array[] = []
        return {
          write: async (chunk: Uint8Array) => {
            if (path === refused) throw new DOMException('no space', 'QuotaExceededError')
            parts.push(chunk)
          },
          close: async () => void written.set(path, concat(parts)),
          abort: async () => void aborted.push(path),
        }
      },
    }),
  }
  return { handle: handle as unknown as FileSystemDirectoryHandle, written, aborted }
}

describe('writeDirectory', () => {
  it('writes every file', async () => {
    const { anchor, entries } = await doubled()
    const { handle, written } = directory()
    expect(await writeDirectory(entries, handle)).toEqual(entries.map(({ path }) => path))
    await expectDoubled(written, anchor)
  })

  it('drops the file that fails and names it', async () => {
    const { entries } = await doubled()
    const full = directory('model.safetensors')
    const error = await expectFailure(writeDirectory(entries, full.handle), 'file-missing', {
      file: 'model.safetensors',
    })
    expect(error.message).toContain('no space')
    expect(full.aborted).toEqual(['model.safetensors'])
    expect(full.written.has('model.safetensors')).toBe(false)
    const stopped = directory()
    await expectFailure(writeDirectory(entries, stopped.handle, { signal: AbortSignal.abort() }), 'cancelled')
    expect(stopped.aborted).toEqual(['config.json'])
  })
})
