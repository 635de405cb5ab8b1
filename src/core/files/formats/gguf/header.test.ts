// Headers that are whole, cut off anywhere, or forged; parts of a model; every refusal by name.

import { describe, expect, it } from 'vitest'
import { target } from '../../../../testing/fuzz/gguf.ts'
import { ggufOf } from '../../../../testing/ggufBytes.ts'
import { concat, expectFailure } from '../../../../testing/tinyCheckpoint.ts'
import { TINY_CONFIGS, tinyModel } from '../../../../testing/tinyModels.ts'
import { EngineError } from '../../../errors.ts'
import { Random } from '../../../tensors/random.ts'
import { openCheckpoint } from '../../checkpoint.ts'
import { memoryFolder } from '../../folder.ts'
import { MemorySource } from '../../source.ts'
import { readElements } from '../../storedWeight.ts'
import { readGgufHeader } from './header.ts'
import { MetadataWriter } from './metadataWriter.ts'

const read = (bytes: Uint8Array) => readGgufHeader(new MemorySource(bytes, 'x.gguf'))

/** A header of all kinds of values and two tensors of 8 floats. */
function small(
  change: { alignment?: number; offset?: number; type?: number; rows?: number } = {},
): Uint8Array {
  const out = new MetadataWriter()
  out.put('a.u32', 'u32', 7)
  out.put('a.i32', 'i32', -7)
  out.put('a.f32', 'f32', 0.5)
  out.put('a.f64', 'f64', 0.1)
  out.put('a.bool', 'bool', true)
  out.put('a.string', 'string', 'grün')
  out.putArray('a.strings', 'string', ['a', '', 'ü'])
  out.putArray('a.i32s', 'i32', [1, -2])
  out.putArray('a.bools', 'bool', [true, false])
  if (change.alignment !== undefined) out.put('general.alignment', 'u32', change.alignment)
  const alignment = change.alignment ?? 32
  const tensors = [
    { name: 'one', dimensions: [4, 2], type: change.type ?? 0, offset: 0 },
    { name: 'two', dimensions: [change.rows ?? 8], type: 0, offset: change.offset ?? 32 },
  ]
  const isPower = Number.isInteger(Math.log2(alignment)) && alignment >= 8
  const head = out.finish(tensors, isPower ? alignment : 32)
  return concat([head, new Uint8Array(64)])
}

const changed = (at: number, ...values: number[]): Uint8Array => {
  const bytes = small()
  bytes.set(values, at)
  return bytes
}

describe('readGgufHeader', () => {
  it('reads every kind of value and the tensors', async () => {
    const { metadata, tensors, version, alignment } = await read(small())
    expect([version, alignment]).toEqual([3, 32])
    expect(Object.fromEntries(metadata)).toEqual({
      'a.u32': 7,
      'a.i32': -7,
      'a.f32': 0.5,
      'a.f64': 0.1,
      'a.bool': true,
      'a.string': 'grün',
      'a.strings': ['a', '', 'ü'],
      'a.i32s': Int32Array.of(1, -2),
      'a.bools': Uint8Array.of(1, 0),
    })
    expect(
      [...tensors.values()].map(({ name, dimensions, byteLength }) => [name, dimensions, byteLength]),
    ).toEqual([
      ['one', [4, 2], 32],
      ['two', [8], 32],
    ])
    expect([...tensors.values()][1].offset - [...tensors.values()][0].offset).toBe(32)
  })

  it('is refused when it is cut off anywhere', async () => {
    const whole = small()
    for (let length = 0; length < whole.length; length++)
      await expectFailure(read(whole.slice(0, length)), 'file-malformed', { file: 'x.gguf' })
  })

  it.each([
    ['another beginning', changed(0, 0x47, 0x47, 0x55, 0x58), 'file-malformed', 'begin with GGUF'],
    ['version 1', changed(4, 1), 'file-unsupported', 'version 1'],
    ['version 4', changed(4, 4), 'file-unsupported', 'version 4'],
    ['big endian', changed(4, 0, 0, 0, 3), 'file-unsupported', 'big-endian'],
    ['more tensors than fit', changed(8, 255, 200), 'file-malformed', 'tensors need'],
    ['more tensors than any model has', changed(8, 0, 0, 0, 0, 1), 'file-malformed', 'at most'],
    ['more keys than fit', changed(16, 255, 200), 'file-malformed', 'metadata keys need'],
    ['a key longer than the limit', changed(24, 0, 0, 0, 1), 'file-malformed', 'at most 65535'],
    ['a key longer than the file', changed(24, 0, 255), 'file-malformed', 'the file ends'],
    ['an unknown kind of value', changed(24 + 8 + 5, 99), 'file-malformed', 'unknown type 99'],
  ] as const)('%s is refused', async (_name, bytes, code, message) => {
    expect((await expectFailure(read(bytes), code, { file: 'x.gguf' })).message).toContain(message)
  })

  it.each([
    ['an alignment that is no power of two', small({ alignment: 24 }), 'general.alignment 24'],
    ['data off its alignment', small({ offset: 40 }), 'data offset 40'],
    ['data over other data', small({ offset: 0 }), 'overlaps one'],
    ['data past the end', small({ offset: 64 }), 'the file has'],
    ['a block type whose rows are no whole blocks', small({ type: 2 }), 'whole blocks of 32'],
    ['a shape larger than the file', small({ rows: 2 ** 50 }), 'too large'],
    ['a shape somewhat larger than the file', small({ rows: 2 ** 30 }), 'the file has'],
  ])('%s is refused', async (_name, bytes, message) => {
    expect((await expectFailure(read(bytes), 'file-malformed', { file: 'x.gguf' })).message).toContain(
      message,
    )
  })

  it('arrays of arrays, doubled keys and doubled tensors are refused', async () => {
    const nested = new MetadataWriter()
    nested.putArray('deep', 'u32', [0, 0, 0])
    const bytes = nested.finish([], 32)
    bytes[24 + 8 + 4 + 4] = 9
    await expectFailure(read(bytes), 'file-unsupported')
    const twice = new MetadataWriter()
    twice.put('k', 'u32', 1)
    twice.put('k', 'u32', 2)
    await expectFailure(read(twice.finish([], 32)), 'file-malformed')
    const tensor = { name: 't', dimensions: [0], type: 0, offset: 0 }
    await expectFailure(read(new MetadataWriter().finish([tensor, tensor], 32)), 'file-malformed')
  })

  it('a type without a decoder is named when the model needs the tensor', async () => {
    const { bytes } = await ggufOf(tinyModel(TINY_CONFIGS['llama, separate']), 'f16')
    const text = new TextDecoder('latin1').decode(bytes)
    const at = text.indexOf('blk.0.attn_v.weight') + 'blk.0.attn_v.weight'.length + 4 + 16
    bytes[at] = 22
    const error = await expectFailure(openOne(bytes), 'file-unsupported')
    expect(error.message).toContain('IQ2_S')
  })
})

const openOne = (bytes: Uint8Array) => openCheckpoint(memoryFolder('m', new Map([['m.gguf', bytes]])))

/** Metadata as the file has it and the tensors shared out in two files. */
async function inParts(
  bytes: Uint8Array,
  ofItself: Record<string, number> = {},
): Promise<[Uint8Array, Uint8Array]> {
  const own = new MetadataWriter()
  for (const [key, value] of Object.entries(ofItself)) own.put(key, 'u32', value)
  const header = await read(bytes)
  const tensors = [...header.tensors.values()]
  const firstEntry = new TextDecoder('latin1').decode(bytes).indexOf(tensors[0].name) - 8
  const part = (own: typeof tensors, keys: Uint8Array, keyCount: number) => {
    let offset = 0
    const entries = own.map(({ name, dimensions, byteLength, typeName }) => {
      const at = offset
      offset += Math.ceil(byteLength / 32) * 32
      return { name, dimensions, type: typeName === 'F16' ? 1 : 0, offset: at }
    })
    const bare = new MetadataWriter().finish(entries, 1)
    const head = concat([bare.slice(0, 24), keys, bare.slice(24)])
    new DataView(head.buffer).setBigUint64(16, BigInt(keyCount), true)
    const aligned = concat([head, new Uint8Array(Math.ceil(head.length / 32) * 32 - head.length)])
    const data = own.flatMap(({ offset: at, byteLength }) => [
      bytes.slice(at, at + byteLength),
      new Uint8Array(Math.ceil(byteLength / 32) * 32 - byteLength),
    ])
    return concat([aligned, ...data])
  }
  const half = Math.floor(tensors.length / 2)
  return [
    part(tensors.slice(0, half), bytes.slice(24, firstEntry), header.metadata.size),
    part(tensors.slice(half), own.finish([], 1).slice(24), Object.keys(ofItself).length),
  ]
}

describe('a model in parts', async () => {
  const { bytes } = await ggufOf(tinyModel(TINY_CONFIGS['qwen2, window on the upper layer, tied']), 'f16')
  const [one, two] = await inParts(bytes)
  const names = ['m-00001-of-00002.gguf', 'm-00002-of-00002.gguf']

  it('is the model in one file', async () => {
    const parts = await openCheckpoint(
      memoryFolder(
        'm',
        new Map([
          [names[1], two],
          [names[0], one],
        ]),
      ),
    )
    const whole = await openOne(bytes)
    expect(parts.files.map(({ source }) => source.name)).toEqual(names)
    for (const [name, weight] of whole.stored)
      expect(await readElements(parts.stored.get(name)!)).toEqual(await readElements(weight))
  })

  it('is refused with a part missing, or with its beginning', async () => {
    await expectFailure(openCheckpoint(memoryFolder('m', new Map([[names[0], one]]))), 'file-missing', {
      file: names[1],
    })
    await expectFailure(openCheckpoint(memoryFolder('m', new Map([[names[1], two]]))), 'file-missing')
    await expectFailure(
      openCheckpoint(
        memoryFolder(
          'm',
          new Map([
            [names[0], one],
            [names[1], one],
          ]),
        ),
      ),
      'file-malformed',
    )
  })

  it.each([
    [{ 'split.no': 1, 'split.count': 2 }, undefined],
    [{ 'split.no': 0, 'split.count': 2 }, 'split.no 0'],
    [{ 'split.no': 1, 'split.count': 3 }, 'split.count 3'],
  ])('whose second says of itself %o', async (keys, message) => {
    const [first, second] = await inParts(bytes, keys)
    const folder = memoryFolder(
      'm',
      new Map([
        [names[0], first],
        [names[1], second],
      ]),
    )
    if (message === undefined) expect((await openCheckpoint(folder)).files).toHaveLength(2)
    else
      expect(
        (await expectFailure(openCheckpoint(folder), 'file-malformed', { file: names[1] })).message,
      ).toContain(message)
  })

  it('two models in a folder are one too many', async () => {
    const folder = memoryFolder(
      'm',
      new Map([
        ['a.gguf', bytes],
        ['b.gguf', bytes],
      ]),
    )
    expect((await expectFailure(openCheckpoint(folder), 'request-invalid')).message).toContain(
      'a.gguf, b.gguf',
    )
  })
})

describe('damaged files', () => {
  it('are opened or refused with an EngineError', async () => {
    const random = new Random(11)
    const below = (limit: number) => Math.floor(random.uniform() * limit)
    const outcomes = new Set<string>()
    for (const seed of await target.seeds()) {
      await target.run(seed)
      for (let n = 0; n < 60; n++) {
        const bytes = seed.slice(0, n % 7 === 0 ? below(seed.length) : seed.length)
        // Headers are where damage tells; most of a file is weights.
        for (let k = 0; k <= n % 5; k++) bytes[below(Math.min(bytes.length, 6000))] = below(256)
        try {
          await target.run(bytes)
          outcomes.add('opened')
        } catch (error) {
          expect(error, String((error as Error).stack)).toBeInstanceOf(EngineError)
          outcomes.add((error as EngineError).code)
        }
      }
    }
    expect(outcomes).toContain('opened')
    expect(outcomes).toContain('file-malformed')
  })
})
