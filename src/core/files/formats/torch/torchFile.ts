// One file of torch.save: a ZIP file with data.pkl and one member for each storage (since torch 1.6), or the older run of
// pickles with the storages behind them. Nothing in it is executed; weights are read in ranges where they lie.

import { EngineError } from '../../../errors.ts'
import { encodedBytes } from '../../../tensors/encoding.ts'
import { type ByteSource, type Bytes, checkRange } from '../../source.ts'
import { contiguousWeight, type StoredWeight } from '../../storedWeight.ts'
import { PickleCutOff, unpickle } from './pickle.ts'
import { type TorchStorage, type TorchTensor, tensorsOf, torchHandlers } from './stateDict.ts'
import { isContiguous, stridedWeight } from './strided.ts'
import { isZip, readZip } from './zip.ts'

/** A state dict of a 70 B model takes about 200 KB. */
const PICKLE_LIMIT = 32 * 2 ** 20
const FIRST_READ = 2 ** 18
/** torch.serialization.MAGIC_NUMBER and PROTOCOL_VERSION of the old format */
const MAGIC = 0x1950a86a20f9469cfc6cn
const VERSION = 1001

export interface TorchFile {
  weights: Map<string, StoredWeight>
  /** tensors that hold no values we can read, and why */
  unread: Map<string, string>
  tensorCount: number
}

/**
 * Reads names, types and places of the tensors in a file. Rejects `file-malformed`, `file-unsupported` naming what is
 * not allowed, `cancelled`.
 */
export async function openTorchFile(source: ByteSource, signal?: AbortSignal): Promise<TorchFile> {
  return (await isZip(source, signal)) ? openZipped(source, signal) : openLegacy(source, signal)
}

/** Where the elements of a storage lie; `file-missing` when the file has no such storage. */
type FindStorage = (storage: TorchStorage) => { source: ByteSource; offset: number }

async function openZipped(source: ByteSource, signal: AbortSignal | undefined): Promise<TorchFile> {
  const members = await readZip(source, signal)
  const pickles = [...members.keys()].filter((path) => /^(.*\/)?data\.pkl$/.test(path))
  if (pickles.length !== 1)
    throw new EngineError('file-malformed', `expected one data.pkl in it, found ${pickles.length}`, {
      file: source.name,
    })
  const [path] = pickles
  const folder = path.slice(0, -'data.pkl'.length)
  const member = members.get(path)!
  if (members.has(`${folder}constants.pkl`))
    throw new EngineError('file-unsupported', 'a TorchScript program: expected a state dict', {
      file: source.name,
    })
  const order = members.get(`${folder}byteorder`)
  if (order && order.size < 16 && new TextDecoder().decode(await order.read(0, order.size)) === 'big')
    throw new EngineError('file-unsupported', 'written in big-endian order: expected little-endian', {
      file: source.name,
    })
  if (member.size > PICKLE_LIMIT)
    throw new EngineError(
      'file-malformed',
      `data.pkl of ${member.size} bytes: expected at most ${PICKLE_LIMIT}`,
      { file: source.name },
    )
  const bytes = await member.read(0, member.size, signal)
  const value = readPickle(
    bytes,
    member.name,
    torchHandlers(member.name, () => {}),
  )
  return weightsOf(tensorsOf(value.value, member.name), source.name, ({ key }) => {
    const data = members.get(`${folder}data/${key}`)
    if (!data) throw new EngineError('file-missing', `no data/${key} in it`, { file: source.name })
    return { source: data, offset: 0 }
  })
}

/** A whole pickle; what is cut off is malformed. */
function readPickle(
  bytes: Bytes,
  file: string,
  handlers: Parameters<typeof unpickle>[2],
  offset = 0,
): ReturnType<typeof unpickle> {
  try {
    return unpickle(bytes, file, handlers, offset)
  } catch (error) {
    if (error instanceof PickleCutOff)
      throw new EngineError('file-malformed', 'pickle: cut off', { file, offset: bytes.length })
    throw error
  }
}

/** Elements of a storage in the old format, behind eight bytes that repeat their number. */
class CountedRun implements ByteSource {
  readonly name: string
  readonly size: number
  private readonly source: ByteSource
  private readonly begin: number
  private readonly count: number
  private checked: Promise<void> | undefined
  constructor(source: ByteSource, begin: number, count: number, byteLength: number) {
    this.source = source
    this.name = source.name
    this.begin = begin
    this.count = count
    this.size = byteLength
  }
  async read(offset: number, length: number, signal?: AbortSignal): Promise<Bytes> {
    checkRange(this, offset, length)
    this.checked ??= this.check(signal).catch((error) => {
      this.checked = undefined
      throw error
    })
    await this.checked
    return this.source.read(this.begin + 8 + offset, length, signal)
  }
  private async check(signal: AbortSignal | undefined): Promise<void> {
    const bytes = await this.source.read(this.begin, 8, signal)
    const found = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigInt64(0, true)
    if (found !== BigInt(this.count))
      throw new EngineError('file-malformed', `a storage of ${found} elements: expected ${this.count}`, {
        file: this.name,
        offset: this.begin,
      })
  }
}

async function openLegacy(source: ByteSource, signal: AbortSignal | undefined): Promise<TorchFile> {
  const file = source.name
  // Where the pickles end is known only when they have been read.
  for (let length = FIRST_READ; ; length *= 8) {
    const isWhole = length >= source.size
    const bytes = await source.read(0, Math.min(length, source.size, PICKLE_LIMIT), signal)
    try {
      return layLegacy(source, bytes)
    } catch (error) {
      if (!(error instanceof PickleCutOff)) throw error
      if (isWhole || length >= PICKLE_LIMIT)
        throw new EngineError('file-malformed', 'pickle: cut off', { file, offset: bytes.length })
    }
  }
}

function layLegacy(source: ByteSource, bytes: Bytes): TorchFile {
  const file = source.name
  const storages = new Map<string, TorchStorage>()
  const handlers = torchHandlers(file, (storage) => {
    const known = storages.get(storage.key)
    if (known && (known.count !== storage.count || known.encoding !== storage.encoding))
      throw new EngineError('file-malformed', `storage ${storage.key} is named with two sizes or types`, {
        file,
      })
    storages.set(storage.key, storage)
  })
  let at = 0
  const next = (): unknown => {
    const { value, byteLength } = unpickle(bytes, file, handlers, at)
    at += byteLength
    return value
  }
  // Every other pickle begins with its protocol, and few files with this number.
  if (bytes[0] !== 0x80 || next() !== MAGIC)
    throw new EngineError('file-unsupported', 'neither a ZIP file nor a checkpoint of torch.save', {
      file,
      offset: 0,
    })
  const version = next()
  if (version !== VERSION)
    throw new EngineError('file-unsupported', `version ${version} of the old format: expected ${VERSION}`, {
      file,
    })
  const system = next()
  if (system instanceof Map && system.get('little_endian') === false)
    throw new EngineError('file-unsupported', 'written in big-endian order: expected little-endian', { file })
  const tensors = tensorsOf(next(), file)
  const keys = next()
  if (!Array.isArray(keys)) throw new EngineError('file-malformed', 'expected a list of storages', { file })
  const runs = new Map<string, CountedRun>()
  for (const key of keys) {
    const storage = typeof key === 'string' ? storages.get(key) : undefined
    if (!storage?.encoding)
      throw new EngineError(
        'file-unsupported',
        `storage ${String(key)} of type ${storage?.typeName ?? 'unknown'}: its length is not known`,
        { file },
      )
    const byteLength = encodedBytes(storage.encoding, storage.count)
    checkRange(source, at, 8 + byteLength)
    runs.set(storage.key, new CountedRun(source, at, storage.count, byteLength))
    at += 8 + byteLength
  }
  return weightsOf(tensors, file, ({ key }) => {
    const run = runs.get(key)
    if (!run) throw new EngineError('file-missing', `storage ${key} is not listed in it`, { file })
    return { source: run, offset: 0 }
  })
}

function weightsOf(tensors: Map<string, TorchTensor>, file: string, find: FindStorage): TorchFile {
  const weights = new Map<string, StoredWeight>()
  const unread = new Map<string, string>()
  for (const [name, tensor] of tensors) {
    const { storage, encoding, shape, strides, offset, storedAs } = tensor
    if (!encoding) {
      unread.set(name, `element type ${storedAs}: expected floats of 8 to 64 bits, or integers`)
      continue
    }
    const place = find(storage)
    // A storage of bytes counts bytes; sizes, strides and offset are elements of the tensor's own type.
    const elements = Math.floor(place.source.size / encodedBytes(encoding, 1))
    const last = shape.reduce((sum, size, i) => sum + Math.max(0, size - 1) * strides[i], offset)
    if (!shape.includes(0) && !(Number.isSafeInteger(last) && last < elements))
      throw new EngineError(
        'file-malformed',
        `shape [${shape}], strides [${strides}] and offset ${offset} leave storage ${storage.key} of ${elements} elements`,
        { file, tensor: name },
      )
    const at = { ...place, offset: place.offset + encodedBytes(encoding, offset) }
    if (isContiguous(shape, strides))
      weights.set(
        name,
        contiguousWeight(at.source, { name, shape, encoding, offset: at.offset, storage: storedAs }),
      )
    else
      weights.set(
        name,
        stridedWeight(at.source, { name, shape, strides, encoding, offset: at.offset, storedAs }),
      )
  }
  return { weights, unread, tensorCount: tensors.size }
}
