// What a pickle of torch.save may build, as descriptions: storages, tensors over them, and dictionaries. Follows
// torch/_utils.py (_rebuild_tensor_v2 and its kin) and torch/serialization.py (persistent ids).

import { EngineError } from '../../../errors.ts'
import type { Encoding } from '../../../tensors/encoding.ts'
import { PickleGlobal, type PickleHandlers, PickleTuple } from './pickle.ts'

/** A run of elements in the file that tensors share. */
export interface TorchStorage {
  /** member `data/<key>` of the ZIP file, or place in the old format's list */
  key: string
  /** elements; bytes where `encoding` is undefined */
  count: number
  /** undefined for storages of bytes whose tensors say their own type, and for types that no number can be read from */
  encoding: Encoding | undefined
  /** for people: `FloatStorage` */
  typeName: string
}

export interface TorchTensor {
  storage: TorchStorage
  encoding: Encoding | undefined
  /** `F32`, or the name of a type that is not read */
  storedAs: string
  shape: number[]
  /** elements from one index to the next, by dimension */
  strides: number[]
  /** elements before the first */
  offset: number
}

const STORAGES: Readonly<Record<string, Encoding>> = {
  DoubleStorage: 'f64',
  FloatStorage: 'f32',
  HalfStorage: 'f16',
  BFloat16Storage: 'bf16',
  LongStorage: 'i64',
  IntStorage: 'i32',
  ShortStorage: 'i16',
  CharStorage: 'i8',
  ByteStorage: 'u8',
  BoolStorage: 'bool',
}
const DTYPES: Readonly<Record<string, Encoding>> = {
  float64: 'f64',
  float32: 'f32',
  float16: 'f16',
  bfloat16: 'bf16',
  float8_e4m3fn: 'f8_e4m3',
  float8_e5m2: 'f8_e5m2',
  int64: 'i64',
  int32: 'i32',
  int16: 'i16',
  int8: 'i8',
  uint64: 'u64',
  uint32: 'u32',
  uint16: 'u16',
  uint8: 'u8',
  bool: 'bool',
}
/** Types that are named in files but hold no plain numbers: their tensors are told of, not read. */
const OTHER_STORAGES = ['ComplexFloatStorage', 'ComplexDoubleStorage', 'QInt8Storage', 'QUInt8Storage']
const OTHER_STORAGES_32 = ['QInt32Storage', 'QUInt4x2Storage', 'QUInt2x4Storage']
const OTHER_DTYPES = ['complex64', 'complex128', 'float8_e4m3fnuz', 'float8_e5m2fnuz', 'float8_e8m0fnu']

const ALLOWED = new Set([
  ...Object.keys(STORAGES).map((name) => `torch.${name}`),
  ...[...OTHER_STORAGES, ...OTHER_STORAGES_32].map((name) => `torch.${name}`),
  ...[...Object.keys(DTYPES), ...OTHER_DTYPES].map((name) => `torch.${name}`),
  'torch.storage.UntypedStorage',
  'torch.Size',
  'torch._utils._rebuild_tensor',
  'torch._utils._rebuild_tensor_v2',
  'torch._utils._rebuild_tensor_v3',
  'torch._utils._rebuild_parameter',
  'collections.OrderedDict',
])

const MAX_DIMENSIONS = 16
const storages = new WeakSet<object>()
const tensors = new WeakSet<object>()

export const isTensor = (value: unknown): value is TorchTensor =>
  typeof value === 'object' && value !== null && tensors.has(value)

const isStorage = (value: unknown): value is TorchStorage =>
  typeof value === 'object' && value !== null && storages.has(value)

const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0

/** Handlers for the pickles of one file; every storage that is named is passed to `onStorage`. */
export function torchHandlers(file: string, onStorage: (storage: TorchStorage) => void): PickleHandlers {
  const fail = (message: string): never => {
    throw new EngineError('file-malformed', message, { file })
  }

  const readStorage = (id: unknown): TorchStorage => {
    if (!(id instanceof PickleTuple)) return fail('persistent id: expected a tuple')
    const [kind, type, key, , count, view] = id.items
    const typeName = type instanceof PickleGlobal && type.module.startsWith('torch') ? type.name : undefined
    if (kind !== 'storage' || typeName === undefined || typeof key !== 'string' || !isCount(count))
      return fail('persistent id: expected a storage with type, key and number of elements')
    if (view !== undefined && view !== null)
      throw new EngineError('file-unsupported', `storage ${key} is a view of another: expected a whole one`, {
        file,
      })
    const storage: TorchStorage = { key, count, encoding: STORAGES[typeName], typeName }
    storages.add(storage)
    onStorage(storage)
    return storage
  }

  const rebuild = (args: readonly unknown[], dtype?: PickleGlobal): TorchTensor => {
    const [storage, offset, size, stride] = args
    if (!isStorage(storage)) return fail('a tensor without a storage')
    const shape = size instanceof PickleTuple ? size.items : []
    const strides = stride instanceof PickleTuple ? stride.items : []
    const isPlace = size instanceof PickleTuple && stride instanceof PickleTuple && isCount(offset)
    if (!isPlace || !shape.every(isCount) || !strides.every(isCount) || shape.length !== strides.length)
      return fail(`a tensor of storage ${storage.key}: expected offset, sizes and as many strides`)
    if (shape.length > MAX_DIMENSIONS)
      return fail(`a tensor of ${shape.length} dimensions: expected at most ${MAX_DIMENSIONS}`)
    const typeName = dtype?.name ?? storage.typeName
    const encoding = dtype ? DTYPES[dtype.name] : storage.encoding
    const tensor: TorchTensor = {
      storage,
      encoding,
      storedAs: encoding ? encoding.toUpperCase() : typeName,
      shape: shape as number[],
      strides: strides as number[],
      offset,
    }
    tensors.add(tensor)
    return tensor
  }

  const call = (global: PickleGlobal, args: readonly unknown[]): unknown => {
    switch (String(global)) {
      case 'collections.OrderedDict':
        return orderedDict(args)
      case 'torch.Size':
        return args[0] instanceof PickleTuple ? args[0] : undefined
      case 'torch._utils._rebuild_tensor':
      case 'torch._utils._rebuild_tensor_v2':
        return rebuild(args)
      case 'torch._utils._rebuild_tensor_v3':
        return args[6] instanceof PickleGlobal ? rebuild(args, args[6]) : undefined
      case 'torch._utils._rebuild_parameter':
        return isTensor(args[0]) ? args[0] : undefined
      default:
        return undefined
    }
  }

  return { allows: (global) => ALLOWED.has(String(global)), call, persistent: readStorage }
}

/** Empty, or of a list of pairs. */
function orderedDict(args: readonly unknown[]): Map<unknown, unknown> | undefined {
  const [pairs = []] = args
  if (!Array.isArray(pairs)) return undefined
  const entries: [unknown, unknown][] = []
  for (const pair of pairs) {
    const items = pair instanceof PickleTuple ? pair.items : pair
    if (!Array.isArray(items) || items.length !== 2) return undefined
    entries.push([items[0], items[1]])
  }
  return new Map(entries)
}

/** Names under which training scripts keep the state dict beside other things. */
const WRAPPERS = ['state_dict', 'model_state_dict', 'model', 'module']

/** The tensors of a state dict by name; `file-malformed` when the pickle holds none. */
export function tensorsOf(value: unknown, file: string): Map<string, TorchTensor> {
  const read = (dictionary: unknown): Map<string, TorchTensor> => {
    const found = new Map<string, TorchTensor>()
    if (dictionary instanceof Map)
      for (const [name, entry] of dictionary)
        if (typeof name === 'string' && isTensor(entry)) found.set(name, entry)
    return found
  }
  const direct = read(value)
  if (direct.size > 0) return direct
  if (value instanceof Map)
    for (const name of WRAPPERS) {
      const inner = read(value.get(name))
      if (inner.size > 0) return inner
    }
  throw new EngineError('file-malformed', 'expected a dictionary of tensors by name', { file })
}
