import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { expectFailure, tinyConfig } from '../../../../testing/tinyCheckpoint.ts'
import { Random } from '../../../tensors/random.ts'
import { openCheckpoint } from '../../checkpoint.ts'
import { memoryFolder } from '../../folder.ts'
import { MemorySource } from '../../source.ts'
import { countOf, readElements } from '../../storedWeight.ts'
import { openTorchFile } from './torchFile.ts'

const GOLDEN = join(import.meta.dirname, 'golden')
const bytesOf = async (name: string): Promise<Uint8Array> =>
  new Uint8Array(await readFile(join(GOLDEN, name)))

type Values = Record<string, { shape: number[]; values: (number | string)[] }>
const valuesOf = async (name: string): Promise<Values> =>
  JSON.parse(await readFile(join(GOLDEN, name), 'utf8')) as Values
const numbers = (values: (number | string)[]): Float32Array => Float32Array.from(values, Number)

const CONFIG = JSON.stringify(tinyConfig())

describe('files that torch.save wrote', () => {
  it.each([
    ['zip-1.bin', 'values-1.json'],
    ['legacy-1.bin', 'values-1.json'],
    ['zip-2.bin', 'values-2.json'],
    ['protocol5-2.bin', 'values-2.json'],
  ])('%s holds the values that torch had', async (file, table) => {
    const expected = await valuesOf(table)
    const { weights, unread, tensorCount } = await openTorchFile(new MemorySource(await bytesOf(file), file))
    expect([...weights.keys()]).toEqual(Object.keys(expected))
    expect(unread.size).toBe(0)
    expect(tensorCount).toBe(weights.size)
    for (const [name, { shape, values }] of Object.entries(expected)) {
      const weight = weights.get(name)!
      expect(weight.shape, name).toEqual(shape)
      expect(await readElements(weight), name).toEqual(numbers(values))
    }
    expect(weights.get('transposed')!.storage).toBe('F32, transposed')
    expect(weights.get('f16')!.storage).toBe('F16')
  })

  it('reads rows of transposed and permuted tensors, and parts of shared storages', async () => {
    const expected = await valuesOf('values-2.json')
    const { weights } = await openTorchFile(new MemorySource(await bytesOf('zip-2.bin'), 'zip-2.bin'))
    for (const name of ['transposed', 'permuted', 'columns', 'rows', 'shared', 'f64']) {
      const weight = weights.get(name)!
      const all = numbers(expected[name].values)
      for (let begin = 0; begin < countOf(weight); begin++)
        for (const count of [1, 2, 5])
          if (begin + count <= all.length)
            expect(await readElements(weight, begin, count), name).toEqual(all.slice(begin, begin + count))
    }
  })

  it('are checkpoints, in one file or several', async () => {
    const expected = await valuesOf('model.json')
    const halves = ['model-1-of-2.bin', 'model-2-of-2.bin']
    const names = Object.keys(expected)
    const index = Object.fromEntries(names.map((name, i) => [name, halves[i < 7 ? 0 : 1]]))
    const folders = [
      new Map<string, Uint8Array | string>([
        ['config.json', CONFIG],
        ['pytorch_model.bin', await bytesOf('model.bin')],
      ]),
      new Map<string, Uint8Array | string>([
        ['config.json', CONFIG],
        ['pytorch_model.bin.index.json', JSON.stringify({ weight_map: index })],
        ...(await Promise.all(halves.map(async (half) => [half, await bytesOf(half)] as const))),
      ]),
    ]
    for (const files of folders) {
      const checkpoint = await openCheckpoint(memoryFolder('torch', files))
      expect(checkpoint.format).toBe('torch')
      expect(checkpoint.dtype).toBe('f32')
      expect(checkpoint.extraTensors).toEqual([])
      for (const [name, { values }] of Object.entries(expected))
        expect(await readElements(checkpoint.stored.get(name)!), name).toEqual(numbers(values))
    }
    const [, second] = folders
    second.delete(halves[1])
    await expectFailure(openCheckpoint(memoryFolder('torch', second)), 'file-missing', { file: halves[1] })
    second.set(halves[1], await bytesOf(halves[0]))
    await expectFailure(openCheckpoint(memoryFolder('torch', second)), 'file-malformed', { file: halves[1] })
  })

  it('reads headers only until a weight is asked for', async () => {
    const bytes = await bytesOf('model.bin')
    const read: number[] = []
    const inner = new MemorySource(bytes, 'pytorch_model.bin')
    const source = {
      name: inner.name,
      size: inner.size,
      read: (offset: number, length: number) => {
        read.push(length)
        return inner.read(offset, length)
      },
    }
    const { weights } = await openTorchFile(source)
    // Signature, tail, zip64 record, directory, then local header and body of data.pkl and of byteorder.
    expect(read.length).toBe(8)
    read.length = 0
    await readElements(weights.get('lm_head.weight')!, 8, 16)
    expect(read).toEqual([30, 64])
  })
})

/** Pickle of protocol 2 out of pieces: strings are lines of GLOBAL, numbers opcodes. */
const pickle = (...parts: (number | string | Uint8Array)[]): Uint8Array => {
  const bytes: number[] = [0x80, 2]
  for (const part of parts)
    if (typeof part === 'number') bytes.push(part)
    else bytes.push(...(typeof part === 'string' ? new TextEncoder().encode(part) : part))
  return Uint8Array.from(bytes)
}
const text = (value: string): Uint8Array => {
  const bytes = new TextEncoder().encode(value)
  return Uint8Array.from([0x58, bytes.length, 0, 0, 0, ...bytes])
}

/** A stored ZIP file of one data.pkl. */
const zipped = (content: Uint8Array, path = 'archive/data.pkl', method = 0): Uint8Array => {
  const name = new TextEncoder().encode(path)
  const out = new Uint8Array(30 + name.length + content.length + 46 + name.length + 22)
  const view = new DataView(out.buffer)
  view.setUint32(0, 0x04034b50, true)
  view.setUint16(26, name.length, true)
  out.set(name, 30)
  out.set(content, 30 + name.length)
  const central = 30 + name.length + content.length
  view.setUint32(central, 0x02014b50, true)
  view.setUint16(central + 10, method, true)
  view.setUint32(central + 20, content.length, true)
  view.setUint32(central + 24, content.length, true)
  view.setUint16(central + 28, name.length, true)
  out.set(name, central + 46)
  const end = central + 46 + name.length
  view.setUint32(end, 0x06054b50, true)
  view.setUint16(end + 10, 1, true)
  view.setUint32(end + 12, 46 + name.length, true)
  view.setUint32(end + 16, central, true)
  return out
}

const open = (bytes: Uint8Array) => openTorchFile(new MemorySource(bytes, 'x.bin'))

describe('what is refused', () => {
  it.each([
    // os.system('id'), as every tutorial on hostile pickles has it.
    ['os.system', pickle('cos\nsystem\n', text('id'), 0x85, 0x52, 0x2e)],
    ['builtins.eval', pickle('cbuiltins\neval\n', text('1'), 0x85, 0x52, 0x2e)],
    ['posix.system', pickle(text('posix'), text('system'), 0x93, text('id'), 0x85, 0x52, 0x2e)],
    ['torch.load', pickle('ctorch\nload\n', 0x2e)],
    [
      'torch._utils._rebuild_tensor_v2.__globals__',
      pickle('ctorch._utils\n_rebuild_tensor_v2.__globals__\n', 0x2e),
    ],
    ['collections.OrderedDict.__reduce__', pickle('ccollections\nOrderedDict.__reduce__\n', 0x2e)],
  ])('%s, by its name', async (name, content) => {
    const error = await expectFailure(open(zipped(content)), 'file-unsupported')
    expect(error.message).toContain(`pickle: global ${name} is not allowed`)
  })

  it('opcodes that these files do not use', async () => {
    // INST, OBJ, NEWOBJ_EX, EXT1, text-mode INT, PERSID, DUP, POP.
    for (const opcode of [0x69, 0x6f, 0x92, 0x82, 0x49, 0x50, 0x32, 0x30]) {
      const error = await expectFailure(open(zipped(pickle(opcode))), 'file-unsupported')
      expect(error.message).toContain(`opcode 0x${opcode.toString(16)} is not allowed`)
    }
  })

  it('calls that an allowed name is not for', async () => {
    const error = await expectFailure(
      open(zipped(pickle('ctorch\nFloatStorage\n', text('x'), 0x85, 0x52, 0x2e))),
      'file-unsupported',
    )
    expect(error.message).toContain('torch.FloatStorage cannot be called like this')
  })

  it('what is no dictionary of tensors, compressed, doubled, or something else', async () => {
    await expectFailure(open(zipped(pickle(0x7d, 0x2e))), 'file-malformed')
    await expectFailure(open(zipped(pickle(0x7d, 0x2e), 'a/data.pkl', 8)), 'file-unsupported')
    await expectFailure(open(zipped(pickle(0x7d, 0x2e), 'a/other.pkl')), 'file-malformed')
    await expectFailure(open(zipped(pickle(0x7d))), 'file-malformed')
    await expectFailure(open(new TextEncoder().encode('not a checkpoint at all')), 'file-unsupported')
    await expectFailure(open(new Uint8Array(0)), 'file-unsupported')
    await expectFailure(open(pickle(0x7d, 0x2e)), 'file-unsupported')
  })

  it('files cut off at any byte', async () => {
    for (const file of ['zip-1.bin', 'legacy-1.bin']) {
      const bytes = await bytesOf(file)
      for (let length = 0; length < bytes.length; length += 37)
        await expect(open(bytes.slice(0, length)), `${file} ${length}`).rejects.toMatchObject({
          name: 'EngineError',
        })
    }
  })

  it('tensors that leave their storage, or use elements twice', async () => {
    const bytes = await bytesOf('zip-2.bin')
    // 1, 6 are the strides of the transposed matrix: make them 1, 7 and 1, 1.
    const at = findAll(bytes, [0x4b, 1, 0x4b, 6, 0x86])
    expect(at.length).toBe(1)
    const forged = (stride: number) => {
      const out = bytes.slice()
      out[at[0] + 3] = stride
      return open(out)
    }
    await expectFailure(forged(7), 'file-malformed', { tensor: 'transposed' })
    await expectFailure(forged(1), 'file-unsupported', { tensor: 'transposed' })
    await expectFailure(forged(0), 'file-unsupported', { tensor: 'transposed' })
  })

  it('random bytes where the pickle is', async () => {
    const random = new Random(3)
    for (let n = 0; n < 300; n++) {
      const content = Uint8Array.from({ length: 40 }, () => random.integer(256))
      await expect(open(zipped(content))).rejects.toMatchObject({ name: 'EngineError' })
    }
  })
})

function findAll(bytes: Uint8Array, pattern: number[]): number[] {
  const found: number[] = []
  for (let i = 0; i + pattern.length <= bytes.length; i++)
    if (pattern.every((byte, k) => bytes[i + k] === byte)) found.push(i)
  return found
}
