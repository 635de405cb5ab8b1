import { describe, expect, it } from 'vitest'
import { concat, expectFailure, packTensors } from '../../testing/tinyCheckpoint.ts'
import type { WeightSpec } from '../model/families/family.ts'
import { encodeWeights } from '../tensors/dtype.ts'
import { type FisherOrigin, readFisherFile, writeFisherFile } from './fisherFile.ts'
import { MemorySource } from './source.ts'

const WEIGHTS: WeightSpec[] = [
  { name: 'a', shape: [2, 3], role: 'matrix' },
  { name: 'b', shape: [2], role: 'gain' },
]
const VALUES: Record<string, Float32Array> = {
  a: new Float32Array([0, 1, 2, 3e-20, 4, 5]),
  b: new Float32Array([6, 7]),
}
const ORIGIN: FisherOrigin = {
  model: 'tiny é',
  digest: 'ab'.repeat(32),
  labels: 'sampled',
  form: 'fast',
  seed: 4294967295,
  sequences: 64,
  tokens: 633,
  probes: 'cd'.repeat(32),
}
const MODEL = { name: 'tiny', digest: ORIGIN.digest, weights: WEIGHTS }

async function write(origin = ORIGIN): Promise<Uint8Array<ArrayBuffer>> {
  const { byteLength, chunks } = writeFisherFile(origin, WEIGHTS, async (name) => VALUES[name])
  const parts: Uint8Array[] = []
  for await (const chunk of chunks) parts.push(chunk)
  const bytes = concat(parts)
  expect(bytes.byteLength).toBe(byteLength)
  return bytes
}
const open = (bytes: Uint8Array<ArrayBuffer>, model = MODEL) =>
  readFisherFile(new MemorySource(bytes, 'f.safetensors'), model)

const entry = (name: string, shape: number[], values: number[]) => ({
  name,
  shape,
  dtype: 'F32' as const,
  bytes: encodeWeights(Float32Array.from(values), 'f32'),
})
const METADATA = {
  format: 'alignmerge-fisher',
  version: '1',
  ...Object.fromEntries(Object.entries(ORIGIN).map(([key, value]) => [key, String(value)])),
}
const tensors = [entry('a', [2, 3], [0, 1, 2, 3, 4, 5]), entry('b', [2], [6, 7])]
const pack = (change: Record<string, string> = {}, list = tensors) =>
  packTensors(list, { ...METADATA, ...change }) as Uint8Array<ArrayBuffer>

describe('Fisher files', () => {
  it('read back as they were written', async () => {
    const file = await open(await write())
    expect(file.origin).toEqual(ORIGIN)
    expect(await file.read('a')).toEqual(VALUES.a)
    expect(await file.read('b')).toEqual(VALUES.b)
  })

  it('are refused for other weights', async () => {
    const other = { ...MODEL, name: 'other', digest: 'ef'.repeat(32) }
    const failure = await expectFailure(open(await write(), other), 'shape-mismatch', {
      file: 'f.safetensors',
    })
    expect(failure.message).toBe(
      'a Fisher diagonal of other weights: made for tiny é abababababab…, this is other efefefefefef… (file f.safetensors)',
    )
  })

  it.each([
    [{ format: 'pt' }, 'file-unsupported', 'no Fisher diagonal: format pt'],
    [{ version: '2' }, 'file-unsupported', 'version 2: expected 1'],
    [{ tokens: '-1' }, 'file-malformed', 'tokens in the metadata is -1'],
    [{ labels: 'guessed' }, 'file-malformed', 'labels in the metadata is guessed'],
    [{ digest: 'xy' }, 'file-malformed', 'digest in the metadata is xy'],
  ] as const)('with metadata %j are refused', async (change, code, message) => {
    const failure = await expectFailure(open(pack(change)), code, { file: 'f.safetensors' })
    expect(failure.message).toContain(message)
  })

  it('without a tensor, or with one of another shape or type, are refused', async () => {
    await expectFailure(open(pack({}, tensors.slice(0, 1))), 'shape-mismatch', { tensor: 'b' })
    await expectFailure(
      open(pack({}, [entry('a', [3, 2], [0, 1, 2, 3, 4, 5]), tensors[1]])),
      'shape-mismatch',
      {
        tensor: 'a',
      },
    )
    const half = { ...tensors[1], dtype: 'F16' as const, bytes: new Uint8Array(4) }
    const list = [tensors[0], half] as unknown as typeof tensors
    await expectFailure(open(pack({}, list)), 'shape-mismatch', { tensor: 'b' })
  })

  it('with values that no square has are refused when they are read', async () => {
    const of = async (value: number) =>
      (await open(pack({}, [tensors[0], entry('b', [2], [1, value])]))).read('b')
    await expectFailure(of(-1e-30), 'file-malformed', { tensor: 'b' })
    await expectFailure(of(Number.NaN), 'not-finite', { tensor: 'b' })
    await expectFailure(of(Number.POSITIVE_INFINITY), 'not-finite', { tensor: 'b' })
  })
})
