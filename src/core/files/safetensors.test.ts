import { describe, expect, it } from 'vitest'
import { concat, expectFailure, packTensors, type RawTensor } from '../../testing/tinyCheckpoint.ts'
import { EngineError } from '../errors.ts'
import { encodeWeights } from '../tensors/dtype.ts'
import { Random } from '../tensors/random.ts'
import { readSafetensorsHeader, readTensor } from './safetensors.ts'
import { decodeTensor, tensorBytes } from './safetensorsFormat.ts'
import { safetensorsByteLength, safetensorsHeader, writeSafetensors } from './safetensorsWriter.ts'
import { MemorySource } from './source.ts'

const FILE = 'model.safetensors'

/** A file with any header text and any stated length. */
function forge(header: string | object, dataBytes = 0, length?: number | bigint): MemorySource {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header))
  const prefix = new Uint8Array(8)
  new DataView(prefix.buffer).setBigUint64(0, BigInt(length ?? json.length), true)
  return new MemorySource(concat([prefix, json, new Uint8Array(dataBytes)]), FILE)
}

function entry(dtype: unknown, shape: unknown, begin: unknown, end: unknown) {
  return { dtype, shape, data_offsets: [begin, end] }
}

const tensors: RawTensor[] = [
  {
    name: 'b',
    dtype: 'F32',
    shape: [2, 2],
    bytes: encodeWeights(new Float32Array([1, -2, 0.5, 3e8]), 'f32'),
  },
  // Odd bytes before a 16-bit tensor: data in a file need not be aligned.
  { name: 'flags', dtype: 'U8', shape: [3], bytes: new Uint8Array([1, 2, 3]) },
  { name: '7', dtype: 'BF16', shape: [3], bytes: encodeWeights(new Float32Array([1, -2, 0.5]), 'bf16') },
  {
    name: '__proto__',
    dtype: 'F16',
    shape: [1, 2],
    bytes: encodeWeights(new Float32Array([1, 65504]), 'f16'),
  },
  { name: 'leer"ä\n', dtype: 'F32', shape: [0, 5], bytes: new Uint8Array(0) },
  { name: 'scalar', dtype: 'I64', shape: [], bytes: new Uint8Array(8).fill(9) },
]

describe('reading and writing', () => {
  it('gives every tensor back, and the same bytes when written again', async () => {
    const file = packTensors(tensors, { format: 'pt', note: 'ü' })
    const source = new MemorySource(file, FILE)
    const header = await readSafetensorsHeader(source)
    expect(header.metadata).toEqual({ format: 'pt', note: 'ü' })
    expect(header.dataStart % 8).toBe(0)
    expect([...header.tensors.keys()]).toEqual(tensors.map(({ name }) => name))
    for (const { name, dtype, shape, bytes } of tensors) {
      expect(header.tensors.get(name)).toMatchObject({ dtype, shape, byteLength: bytes.length })
      expect(await readTensor(source, header, name)).toEqual(Uint8Array.from(bytes))
    }
    const entries = [...header.tensors.values()]
    const chunks: Uint8Array[] = []
    const write = writeSafetensors(entries, header.metadata, ({ name }) => readTensor(source, header, name))
    for await (const chunk of write) chunks.push(chunk)
    expect(chunks).toHaveLength(1 + tensors.length)
    expect(concat(chunks)).toEqual(file)
    expect(safetensorsByteLength(entries, header.metadata)).toBe(file.byteLength)
  })

  it('writes the documented layout', () => {
    const header = safetensorsHeader([{ name: 'a', dtype: 'F32', shape: [2] }], { format: 'pt' })
    const text = '{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'
    expect(new TextDecoder().decode(header.slice(8))).toBe(text.padEnd(88))
    expect([...header.slice(0, 8)]).toEqual([88, 0, 0, 0, 0, 0, 0, 0])
  })

  it('decodes F32, F16 and BF16 and names other types', async () => {
    const find = (name: string) => tensors.find((tensor) => tensor.name === name)!
    expect([...decodeTensor(find('b').bytes, 'F32', {})]).toEqual([1, -2, 0.5, 3e8])
    expect([...decodeTensor(find('7').bytes, 'BF16', {})]).toEqual([1, -2, 0.5])
    expect([...decodeTensor(find('__proto__').bytes, 'F16', {})]).toEqual([1, 65504])
    const place = { file: FILE, tensor: 'scalar', offset: 16 }
    const error = await expectFailure(
      () => decodeTensor(new Uint8Array(8), 'I64', place),
      'file-unsupported',
      place,
    )
    expect(error.message).toContain('I64')
  })

  it('counts bytes of packed types and of shapes beyond all memory', () => {
    expect(tensorBytes('F4', [3, 2])).toBe(3)
    expect(tensorBytes('F4', [3])).toBeUndefined()
    expect(tensorBytes('F6_E2M3', [4])).toBe(3)
    expect(tensorBytes('F32', [2 ** 40, 2 ** 40])).toBeUndefined()
    expect(tensorBytes('F32', [2 ** 40, 2 ** 40, 0])).toBe(0)
  })

  it('refuses to write what no reader would take', async () => {
    const a = { name: 'a', dtype: 'F32', shape: [2] } as const
    await expectFailure(() => safetensorsHeader([a, a]), 'request-invalid', { tensor: 'a' })
    await expectFailure(() => safetensorsHeader([{ ...a, name: '__metadata__' }]), 'request-invalid')
    await expectFailure(() => safetensorsHeader([{ ...a, shape: [1.5] }]), 'request-invalid', { tensor: 'a' })
    const drain = async (signal?: AbortSignal) => {
      for await (const _ of writeSafetensors([a], {}, () => new Uint8Array(7), signal));
    }
    await expectFailure(drain(), 'shape-mismatch', { tensor: 'a' })
    await expectFailure(drain(AbortSignal.abort()), 'cancelled')
    const { header, source } = await open(packTensors(tensors))
    await expectFailure(readTensor(source, header, 'none'), 'file-missing', { file: FILE, tensor: 'none' })
  })
})

async function open(bytes: Uint8Array) {
  const source = new MemorySource(bytes, FILE)
  return { source, header: await readSafetensorsHeader(source) }
}

describe('bad files', () => {
  const whole = (name: string, value: unknown, data: number) => forge({ [name]: value }, data)
  /** Where the data of a forged header begins. */
  const start = (header: object) => 8 + JSON.stringify(header).length

  it.each([
    ['an empty file', new MemorySource(new Uint8Array(0), FILE), 0, 'at least 8 bytes'],
    ['a truncated length', new MemorySource(new Uint8Array(7), FILE), 0, 'at least 8 bytes'],
    ['a truncated header', new MemorySource(packTensors(tensors).slice(0, 60), FILE), 0, 'the file ends'],
    ['a length beyond the file', forge('{}', 0, 500), 0, 'header length 500'],
    ['a length that forgets its own eight bytes', forge('{}', 4, 10), 0, 'the file ends 6 bytes after'],
    ['a length beyond the limit', forge('{}', 0, 100_000_001), 0, 'at most 100000000'],
    ['a length of 2^64 − 1', forge('{}', 0, 2n ** 64n - 1n), 0, 'header length 18446744073709551615'],
    ['a length of nothing', forge('{}', 0, 0), 0, 'header length 0'],
    ['no JSON', forge('{"a" nope}'), 13, 'expected JSON'],
    ['an array', forge('[{}]'), 8, 'begin with {'],
    ['a zip', new MemorySource(new Uint8Array(64).fill(0x50), FILE), 0, 'header length'],
    ['leading spaces', forge('  {}'), 8, 'begin with {'],
    ['control characters in a name', forge('{"\u0000\u0001": 3}'), 10, 'expected JSON'],
    ['text after the object', forge('{} x'), 11, 'expected JSON'],
    ['metadata that is no text', forge({ __metadata__: { format: 3 } }), 9, '__metadata__'],
    ['endless nesting', forge(`{"a":${'['.repeat(50_000)}`), 20, 'nested'],
    ['bytes after the last tensor', forge({ a: entry('U8', [1], 0, 1) }, 3), 62, '2 bytes after'],
  ])('%s', async (_name, source, offset, text) => {
    const error = await expectFailure(readSafetensorsHeader(source), 'file-malformed', { file: FILE, offset })
    expect(error.message).toContain(text)
  })

  it.each([
    ['an unknown type', entry('F33', [1], 0, 4), 'F33', false],
    ['a type inherited by every object', entry('toString', [1], 0, 4), 'type "toString"', false],
    ['a type that is no text', entry(7, [1], 0, 4), 'element type 7', false],
    ['a negative size', entry('F32', [-1], 0, 4), 'shape [-1]', false],
    ['a broken size', entry('F32', [1.5], 0, 4), 'shape [1.5]', false],
    ['a shape that is no list', entry('F32', 'x', 0, 4), 'shape "x"', false],
    ['a forged huge shape', entry('F32', [2 ** 31, 2 ** 31, 2 ** 31], 0, 4), 'too large', false],
    ['a product that wraps round 2^64', entry('F32', [2 ** 32, 2 ** 32, 1], 0, 4), 'too large', false],
    ['a size above 2^53', entry('F32', [1e300], 0, 4), 'shape', false],
    ['too many dimensions', entry('F32', new Array(17).fill(1), 0, 4), 'at most 16', false],
    ['offsets that are no numbers', entry('F32', [1], '0', 4), 'data_offsets', false],
    ['missing offsets', { dtype: 'F32', shape: [1] }, 'data_offsets nothing', false],
    ['an entry that is no object', 5, 'expected an object', false],
    ['offsets the wrong way round', entry('F32', [1], 4, 0), 'before the beginning', true],
    ['an end outside the file', entry('F32', [2], 0, 8), 'has 4 bytes of data', true],
    ['an offset of 2^52', entry('F32', [1], 2 ** 52, 2 ** 52 + 4), 'has 4 bytes of data', true],
    ['a length that does not fit the shape', entry('F32', [2], 0, 4), 'needs 8 bytes, found 4', true],
    ['more bytes than the shape needs', entry('U8', [3], 0, 4), 'needs 3 bytes, found 4', true],
    ['a hole before the first tensor', entry('U8', [3], 1, 4), 'hole after the header of 1', true],
  ])('%s', async (_name, value, text, isData) => {
    const header = { bad: value }
    const begin = (value as { data_offsets?: number[] }).data_offsets?.[0] ?? 0
    const offset = isData ? start(header) + begin : 9
    const error = await expectFailure(readSafetensorsHeader(whole('bad', value, 4)), 'file-malformed', {
      file: FILE,
      tensor: 'bad',
      offset,
    })
    expect(error.message).toContain(text)
    expect(error.message.length).toBeLessThan(300)
  })

  it('overlapping tensors, and holes between them', async () => {
    const overlap = { a: entry('U8', [4], 0, 4), b: entry('U8', [4], 3, 7) }
    const first = await expectFailure(readSafetensorsHeader(forge(overlap, 7)), 'file-malformed', {
      file: FILE,
      tensor: 'b',
      offset: start(overlap) + 3,
    })
    expect(first.message).toContain('overlaps a by 1')
    const hole = { a: entry('U8', [4], 0, 4), b: entry('U8', [4], 6, 10) }
    const second = await expectFailure(readSafetensorsHeader(forge(hole, 10)), 'file-malformed', {
      file: FILE,
      tensor: 'b',
      offset: start(hole) + 6,
    })
    expect(second.message).toContain('hole after a of 2')
  })

  it('a name that appears twice, whatever its spelling', async () => {
    const value = JSON.stringify(entry('U8', [1], 0, 1))
    const text = `{"a":${value}, "\\u0061" : ${value}}`
    await expectFailure(readSafetensorsHeader(forge(text, 1)), 'file-malformed', {
      file: FILE,
      offset: 8 + text.indexOf(' "') + 1,
    })
    const inner = '{"a":{"dtype":"U8","dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    await expectFailure(readSafetensorsHeader(forge(inner, 4)), 'file-malformed', { file: FILE, offset: 27 })
  })

  it('wrong UTF-8', async () => {
    const file = packTensors([{ name: 'aaaa', dtype: 'U8', shape: [1], bytes: new Uint8Array(1) }])
    file[10] = 0xff
    await expectFailure(readSafetensorsHeader(new MemorySource(file, FILE)), 'file-malformed', {
      file: FILE,
      offset: 8,
    })
  })

  it('stops when asked', async () => {
    const source = new MemorySource(packTensors(tensors), FILE)
    await expectFailure(readSafetensorsHeader(source, AbortSignal.abort()), 'cancelled')
  })
})

describe('2,000 mutations of a small file', () => {
  it('only engine errors come out, quickly, and what is accepted can be read', async () => {
    const random = new Random(20260)
    const valid = packTensors(tensors.slice(0, 3), { format: 'pt' })
    const began = performance.now()
    let refused = 0
    for (let round = 0; round < 2000; round++) {
      let file = valid.slice()
      for (let edits = 1 + random.integer(3); edits > 0; edits--) {
        const at = random.integer(file.length)
        switch (random.integer(6)) {
          case 0:
            file[at] = random.integer(256)
            break
          case 1:
            file[at] ^= 1 << random.integer(8)
            break
          case 2:
            file = file.slice(0, at + 1)
            break
          case 3:
            file = concat([file.slice(0, at), file.slice(at + random.integer(20))])
            break
          case 4:
            file = concat([
              file.slice(0, at),
              file.slice(random.integer(file.length), at + 20),
              file.slice(at),
            ])
            break
          default:
            // Digits stay digits: lengths, shapes and offsets that are plausible and wrong.
            for (let i = at; i < Math.min(at + 30, file.length); i++)
              if (file[i] >= 0x30 && file[i] <= 0x39) file[i] = 0x30 + random.integer(10)
        }
        if (file.length === 0) file = new Uint8Array(1)
      }
      try {
        const { source, header } = await open(file)
        for (const name of header.tensors.keys()) await readTensor(source, header, name)
      } catch (error) {
        if (!(error instanceof EngineError)) throw error
        expect(error.code).toBe('file-malformed')
        expect(error.where.file).toBe(FILE)
        refused++
      }
    }
    expect(refused).toBeGreaterThan(1000)
    expect(refused).toBeLessThan(2000)
    expect(performance.now() - began).toBeLessThan(10_000)
  })
})
