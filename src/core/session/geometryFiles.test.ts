// Files of Fisher diagonals and rows of A: bit for bit there and back, used in place of computing, refused for other
// weights, other kinds, and whatever was cut or changed.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { manyProbes, probe, probeFile } from '../../testing/answeringModels.ts'
import { watchBuffers } from '../../testing/liveBuffers.ts'
import { nearCheckpoint } from '../../testing/nearCheckpoint.ts'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import {
  concat,
  expectFailure,
  packTensors,
  type RawTensor,
  tinyConfig,
  tinyTensors,
} from '../../testing/tinyCheckpoint.ts'
import { flatBuffers, flatRows, flatWeights } from '../../testing/tinyMerge.ts'
import type { ProbeFile } from '../evaluate/probes.ts'
import { sha256 } from '../files/contentHash.ts'
import type { ExportEntry } from '../files/exporter.ts'
import { readSafetensorsHeader, readTensor } from '../files/safetensors.ts'
import { MemorySource } from '../files/source.ts'
import { weightsDigest } from '../files/weightsDigest.ts'
import { readFisherFile } from '../geometry/fisherFile.ts'
import type { Gpu } from '../gpu/device.ts'
import { encodeWeights } from '../tensors/dtype.ts'
import { probesDigest } from './geometryFiles.ts'
import { Session, type Setup } from './session.ts'

const PROBES = probeFile([
  ...manyProbes(40, 1),
  ...manyProbes(40, 2).map((one) => ({
    ...one,
    id: `e-${one.id}`,
    prompt: `${one.prompt} k`,
    split: 'estimate' as const,
  })),
  probe('s1', 'skill', 'sort d c', { skill: 'sort', aligned: 'c d.', split: 'estimate' }),
])
const HOW: Setup['fisher'] = { labels: 'sampled', form: 'sequence' }
// Odd sizes: rows on the device are padded, in the file they are not.
const CONFIG = {
  ...tinyConfig(),
  hidden_size: 10,
  num_attention_heads: 1,
  num_key_value_heads: 1,
  intermediate_size: 11,
}

let gpu: Gpu
let session: Session
beforeAll(async () => {
  gpu = await openTestDevice()
})
beforeEach(() => {
  session?.dispose()
})
afterAll(() => {
  session?.dispose()
  gpu?.close()
})

async function load(into: Session, id: string, seed: number): Promise<void> {
  await into.load(id, await nearCheckpoint(seed, 0.05, { change: CONFIG, name: id }))
}

async function open(probes: ProbeFile = PROBES): Promise<Session> {
  const made = new Session(gpu, probes)
  await load(made, 'anchor', 1)
  await load(made, 'one', 2)
  return made
}

async function bytesOf(entry: ExportEntry): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = []
  for await (const chunk of entry.chunks()) parts.push(chunk)
  const bytes = concat(parts)
  expect(bytes.byteLength).toBe(entry.byteLength)
  return bytes
}
const source = (bytes: Uint8Array) => new MemorySource(bytes, 'shared.safetensors')
const place = { file: 'shared.safetensors' }

/** The file with other metadata or tensors, packed anew. */
async function changed(
  bytes: Uint8Array,
  metadata: Record<string, string>,
  change: (tensors: RawTensor[]) => RawTensor[] = (tensors) => tensors,
): Promise<Uint8Array> {
  const whole = source(bytes)
  const header = await readSafetensorsHeader(whole)
  const tensors: RawTensor[] = []
  for (const { name, dtype, shape } of header.tensors.values())
    tensors.push({ name, dtype, shape, bytes: await readTensor(whole, header, name) })
  return packTensors(change(tensors), { ...header.metadata, ...metadata })
}

describe('a Fisher diagonal', () => {
  test('comes back bit for bit, says how it was made, and is used in place of computing', async () => {
    session = await open()
    const own = await session.fisher('anchor', HOW, 7)
    const expected = await flatBuffers(session.get('anchor').model, own.sums)
    const entry = await session.files.exportFisher('anchor', HOW, 7)
    const bytes = await bytesOf(entry)
    expect(entry.path).toBe(`fisher-${entry.info.content.slice(0, 12)}.safetensors`)
    const digest = await weightsDigest(session.get('anchor').checkpoint)
    const info = {
      ...{ ...HOW, seed: 7, tokens: own.tokens, sequences: own.sequences, model: 'anchor', digest },
      ...{ probes: await probesDigest(PROBES), content: entry.info.content },
    }
    expect(entry.info).toEqual(info)

    const other = await open()
    const live = watchBuffers(gpu)
    const seen: number[] = []
    const options = { onProgress: (_: string, done: number) => seen.push(done) }
    const imported = await other.files.importFisher('anchor', source(bytes), options)
    expect(imported).toEqual({ ...info, isOwnProbes: true })
    const made = live.made().length
    const fisher = await other.fisher('anchor', HOW, 7)
    expect(live.made().length).toBe(made)
    expect(fisher.tokens).toBe(own.tokens)
    const { model } = other.get('anchor')
    expect(await flatBuffers(model, fisher.sums)).toEqual(expected)
    expect(seen.length).toBeGreaterThan(0)
    expect(await bytesOf(await other.files.exportFisher('anchor', HOW, 7))).toEqual(bytes)
    other.dispose()
    expect(live.made()).toEqual([])
    live.stop()
  })

  test('without a device it reads as means per token', async () => {
    session = await open()
    const entry = await session.files.exportFisher('anchor', HOW, 1)
    const { checkpoint, model } = session.get('anchor')
    const owner = { name: 'a', digest: entry.info.digest, weights: checkpoint.weights }
    const file = await readFisherFile(source(await bytesOf(entry)), owner)
    const { sums, tokens } = await session.fisher('anchor', HOW, 1)
    const name = 'model.layers.1.mlp.down_proj.weight'
    const expected = await gpu.readFloats(sums.get(name)!, model.tensor(name).count)
    expect(await file.read(name)).toEqual(expected.map((value) => value * Math.fround(1 / tokens)))
    expect(file.origin.tokens).toBe(tokens)
  })

  test('takes the place of one that was computed, and a merge made with that one is made anew', async () => {
    session = await open()
    const setup: Setup = {
      method: 'fisher_average',
      anchor: 'anchor',
      experts: [
        { id: 'one', weight: 1 },
        { id: 'anchor', weight: 1 },
      ],
      ...{ lambdaAlign: 0, rank: 2, damping: 0.1, metric: 'fisher', source: 'margin', seed: 1 },
      fisher: HOW,
    }
    const before = await flatWeights(await session.merge(setup))
    const other = await open(probeFile(PROBES.items.filter(({ set }) => set !== 'harmful')))
    const bytes = await bytesOf(await other.files.exportFisher('one', HOW, 1))
    other.dispose()
    await session.files.importFisher('one', source(bytes))
    expect(await flatWeights(await session.merge(setup))).not.toEqual(before)
  })

  test('of other probes is taken and told', async () => {
    session = await open()
    const bytes = await bytesOf(await session.files.exportFisher('anchor', HOW, 1))
    const other = await open(probeFile(PROBES.items.slice(1)))
    expect(await other.files.importFisher('anchor', source(bytes))).toMatchObject({ isOwnProbes: false })
    other.dispose()
    expect(await probesDigest({ ...PROBES, refusals: ['never'] } as ProbeFile)).toBe(
      await probesDigest(PROBES),
    )
  })
})

describe('rows of A', () => {
  test.each(['unwanted', 'path'] as const)('of source %s come back bit for bit', async (kind) => {
    session = await open()
    const experts = kind === 'path' ? ['one'] : []
    const own = await session.alignmentRows('anchor', kind, 'estimate', 3, {}, experts)
    const expected = await flatRows(session.get('anchor').model, own)
    const entry = await session.files.exportRows('anchor', kind, 'estimate', 3, {}, experts)
    const bytes = await bytesOf(entry)
    expect(entry.path).toMatch(/^rows-[0-9a-f]{12}\.safetensors$/)
    const digests = kind === 'path' ? [await weightsDigest(session.get('one').checkpoint)] : []
    expect(entry.info).toMatchObject({
      source: kind,
      split: 'estimate',
      seed: 3,
      rows: own.count,
      experts: digests,
    })

    const other = await open()
    const live = watchBuffers(gpu)
    expect(await other.files.importRows('anchor', source(bytes))).toEqual({
      ...entry.info,
      isOwnProbes: true,
    })
    const made = live.made().length
    const rows = await other.alignmentRows('anchor', kind, 'estimate', 3, {}, experts)
    expect(live.made().length).toBe(made)
    expect(await flatRows(other.get('anchor').model, rows)).toEqual(expected)
    if (kind === 'path') {
      other.close('one')
      const failure = await expectFailure(
        other.files.importRows('anchor', source(bytes)),
        'request-invalid',
        place,
      )
      expect(failure.message).toContain(digests[0])
    }
    other.dispose()
    expect(live.made()).toEqual([])
    live.stop()
  })

  test('a forged row count is refused before anything is allocated', async () => {
    session = await open()
    const bytes = await bytesOf(await session.files.exportRows('anchor', 'unwanted', 'estimate', 1))
    const live = watchBuffers(gpu)
    for (const [rows, code] of [
      ['4000', 'shape-mismatch'],
      ['99999999', 'file-malformed'],
      ['0', 'file-malformed'],
    ] as const)
      await expectFailure(
        session.files.importRows('anchor', source(await changed(bytes, { rows }))),
        code,
        place,
      )
    expect(live.made()).toEqual([])
    live.stop()
  })
})

describe('refusals leave the session as it was', () => {
  let bytes: Uint8Array<ArrayBuffer>
  let rows: Uint8Array<ArrayBuffer>
  beforeEach(async () => {
    session = await open()
    bytes ??= await bytesOf(await session.files.exportFisher('anchor', HOW, 1))
    rows ??= await bytesOf(await session.files.exportRows('anchor', 'unwanted', 'estimate', 1))
  })
  const refused = async (file: Uint8Array, code: Parameters<typeof expectFailure>[1], where = {}) => {
    const live = watchBuffers(gpu)
    const failure = await expectFailure(session.files.importFisher('anchor', source(file)), code, {
      ...place,
      ...where,
    })
    expect(live.made()).toEqual([])
    live.stop()
    return failure
  }

  test('made for other weights: both digests are named', async () => {
    const [mine, theirs] = await Promise.all(
      ['anchor', 'one'].map((id) => weightsDigest(session.get(id).checkpoint)),
    )
    for (const failure of [
      await expectFailure(session.files.importFisher('one', source(bytes)), 'shape-mismatch', place),
      await expectFailure(session.files.importRows('one', source(rows)), 'shape-mismatch', place),
    ]) {
      expect(failure.message).toContain(mine)
      expect(failure.message).toContain(theirs)
    }
  })

  test('of another kind or version', async () => {
    const other = await refused(rows, 'file-unsupported')
    expect(other.message).toContain('not a Fisher diagonal: format alignmerge-rows')
    await refused(packTensors(tinyTensors(CONFIG, 'f32', 1), { format: 'pt' }), 'file-unsupported')
    await refused(packTensors(tinyTensors(CONFIG, 'f32', 1)), 'file-unsupported')
    await refused(await changed(bytes, { version: '2' }), 'file-unsupported')
    await refused(new TextEncoder().encode('no file of tensors at all'), 'file-malformed')
  })

  test('cut anywhere', async () => {
    const { dataStart } = await readSafetensorsHeader(source(bytes))
    for (const length of [0, 7, 8, 100, dataStart, dataStart + 1, bytes.length - 1])
      await refused(bytes.slice(0, length), 'file-malformed')
  })

  test.each([
    ['labels', 'guessed'],
    ['form', ''],
    ['seed', '-1'],
    ['tokens', '0'],
    ['tokens', '99999999999999999999'],
    ['probes', 'xy'],
    ['digest', 'AB'.repeat(32)],
    ['content', ''],
  ])('with %s %j', async (key, value) => {
    const failure = await refused(await changed(bytes, { [key]: value }), 'file-malformed')
    expect(failure.message).toContain(`${key} in the metadata is ${JSON.stringify(value)}`)
  })

  test('one bit of the numbers, or a word of what the file says, was changed', async () => {
    const flipped = bytes.slice()
    flipped[flipped.length - 4] ^= 1
    const { message } = await refused(flipped, 'file-malformed')
    expect(message).toMatch(/the file was changed: its content hash is [0-9a-f]{64}/)
    await refused(await changed(bytes, { tokens: '5' }), 'file-malformed')
    await refused(await changed(bytes, { model: 'anchor 2' }), 'file-malformed')
  })

  test('tensors that are not the model’s: missing, extra, of another shape or type', async () => {
    const name = 'model.norm.weight'
    const swap = (change: Partial<RawTensor>) => (tensors: RawTensor[]) =>
      tensors.map((tensor) => (tensor.name === name ? { ...tensor, ...change } : tensor))
    const of = (change: (tensors: RawTensor[]) => RawTensor[]) => changed(bytes, {}, change)
    const where = { tensor: name }
    await refused(
      await of((tensors) => tensors.filter((tensor) => tensor.name !== name)),
      'shape-mismatch',
      where,
    )
    await refused(await of(swap({ shape: [2, 5] })), 'shape-mismatch', where)
    await refused(await of(swap({ dtype: 'BF16', bytes: new Uint8Array(20) })), 'shape-mismatch', where)
    const extra = { name: 'more', dtype: 'F32' as const, shape: [1], bytes: new Uint8Array(4) }
    await refused(await of((tensors) => [...tensors, extra]), 'shape-mismatch', { tensor: 'more' })
  })

  test.each([
    [-1e-30, 'file-malformed'],
    [Number.NaN, 'not-finite'],
    [Number.POSITIVE_INFINITY, 'not-finite'],
  ] as const)('a number that no square is: %d', async (value, code) => {
    const name = 'model.norm.weight'
    const file = await changed(bytes, {}, (tensors) =>
      tensors.map((tensor) =>
        tensor.name === name
          ? { ...tensor, bytes: encodeWeights(Float32Array.of(1, 2, value, 4, 5, 6, 7, 8, 9, 10), 'f32') }
          : tensor,
      ),
    )
    await refused(file, code, { tensor: name })
  })

  test('a raised signal, on reading and on writing', async () => {
    const live = watchBuffers(gpu)
    const abort = new AbortController()
    const options = {
      signal: abort.signal,
      onProgress: (label: string, done: number) => {
        if (label.startsWith('reading') && done === 3) abort.abort()
      },
    }
    await expect(session.files.importFisher('anchor', source(bytes), options)).rejects.toMatchObject({
      code: 'cancelled',
    })
    expect(live.made()).toEqual([])
    live.stop()
    const stopped = { signal: AbortSignal.abort() }
    await session.fisher('anchor', HOW, 1)
    await expect(session.files.exportFisher('anchor', HOW, 1, stopped)).rejects.toMatchObject({
      code: 'cancelled',
    })
    // A digest that was stopped is not remembered.
    await session.files.exportFisher('anchor', HOW, 1)
  })
})

test('a model that is closed while its file is read leaves nothing', async () => {
  session = await open()
  const bytes = await bytesOf(await session.files.exportFisher('one', HOW, 1))
  const live = watchBuffers(gpu)
  const closing = { onProgress: () => session.close('one') }
  await expect(session.files.importFisher('one', source(bytes), closing)).rejects.toThrow(/closed meanwhile/)
  expect(live.made()).toEqual([])
  live.stop()
})

test('the hash of nothing is SHA-256’s own', async () => {
  expect(await sha256(new Uint8Array())).toBe(
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  )
})
