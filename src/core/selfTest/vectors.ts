// The self-test's stored vectors: one safetensors file of float64 results, rounded to float32, that were computed where
// the studio was built and not on the machine under test. Inputs are drawn again from their seeds; a hash says whether
// they came out the same.

import { EngineError } from '../errors.ts'
import { readSafetensorsHeader, readTensor } from '../files/safetensors.ts'
import type { SafetensorsHeader } from '../files/safetensorsFormat.ts'
import { type TensorEntry, writeSafetensors } from '../files/safetensorsWriter.ts'
import type { ByteSource } from '../files/source.ts'
import { KERNELS } from '../kernels/index.ts'
import type { HostArray, HostArrays, KernelCase, KernelSpec } from '../kernels/spec.ts'
import type { WeightType } from '../tensors/dtype.ts'
import { makeInputs, weightTypes } from './kernelRun.ts'
import {
  MODEL_COUNT,
  type ModelVectors,
  makeModelVectors,
  readModelVectors,
  writeModelVectors,
} from './modelVectors.ts'

export const VECTOR_FILE = 'selftest.safetensors'
const VERSION = '1'

export interface KernelVector {
  kernel: KernelSpec
  test: KernelCase
  weights: WeightType
  /** hash of the inputs */
  inputs: string
  /** float64 results rounded to float32; NaN where open */
  expected: HostArrays
}

export interface Vectors {
  kernels: KernelVector[]
  models: ModelVectors[]
}

type Stored = TensorEntry & { bytes: Uint8Array }

/** FNV-1a over the bits that the device gets, 8 hexadecimal digits: tells other inputs from these, no more. */
export function hashInputs(inputs: HostArrays): string {
  let hash = 0x811c9dc5
  for (const name of Object.keys(inputs).sort()) {
    const values = inputs[name]
    const bytes = new Uint8Array(
      values instanceof Uint32Array ? values.slice().buffer : Float32Array.from(values).buffer,
    )
    for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193)
  }
  return (hash >>> 0).toString(16).padStart(8, '0')
}

const keyOf = (kernel: KernelSpec, index: number, weights: WeightType): string =>
  `${kernel.name}/${index}/${weights}`

const outputsOf = (kernel: KernelSpec) => kernel.bindings.filter(({ access }) => access === 'read_write')

/** All cases of all kernels and a tiny model of each family, computed in float64 here and now. */
export function makeVectors(kernels: readonly KernelSpec[] = KERNELS): Vectors {
  const vectors: KernelVector[] = []
  for (const kernel of kernels)
    for (const test of kernel.cases)
      for (const weights of weightTypes(kernel)) {
        const inputs = makeInputs(kernel, test, 'unit', weights)
        const expected = kernel.reference(test.params, inputs)
        vectors.push({ kernel, test, weights, inputs: hashInputs(inputs), expected })
      }
  return { kernels: vectors, models: makeModelVectors() }
}

/** The file, in pieces. */
export function writeVectors(vectors: Vectors): AsyncGenerator<Uint8Array> {
  const entries: Stored[] = []
  const hashes: Record<string, string> = {}
  for (const { kernel, test, weights, inputs, expected } of vectors.kernels) {
    const key = keyOf(kernel, kernel.cases.indexOf(test), weights)
    hashes[key] = inputs
    for (const { name } of outputsOf(kernel)) entries.push(stored(`${key}/${name}`, expected[name]))
  }
  for (const model of vectors.models) entries.push(...writeModelVectors(model))
  const metadata = {
    format: 'alignmerge-selftest',
    version: VERSION,
    inputs: JSON.stringify(hashes),
    models: JSON.stringify(vectors.models.map(({ family, config, ids }) => ({ family, config, ids }))),
  }
  return writeSafetensors(entries, metadata, ({ bytes }) => bytes)
}

function stored(name: string, values: HostArray): Stored {
  const isWhole = values instanceof Uint32Array
  const array = isWhole ? values.slice() : Float32Array.from(values)
  return {
    name,
    dtype: isWhole ? 'U32' : 'F32',
    shape: [array.length],
    bytes: new Uint8Array(array.buffer),
  }
}

/** Values of a stored tensor: whole numbers as they are, floats widened. */
export async function readValues(
  source: ByteSource,
  header: SafetensorsHeader,
  name: string,
): Promise<HostArray> {
  const bytes = await readTensor(source, header, name)
  if (header.tensors.get(name)?.dtype === 'U32') return new Uint32Array(bytes.buffer)
  return Float64Array.from(new Float32Array(bytes.buffer))
}

/**
 * Reads the file back against the kernels of this build. Rejects `check-failed` when it was made for other kernels or
 * cases: a vector that is missing must not count as one that agrees.
 */
export async function readVectors(source: ByteSource, signal?: AbortSignal): Promise<Vectors> {
  const header = await readSafetensorsHeader(source, signal)
  const { format, version, inputs, models } = header.metadata
  const place = { file: source.name }
  if (format !== 'alignmerge-selftest' || version !== VERSION)
    throw new EngineError('file-unsupported', `not the self-test’s vectors: ${format ?? 'no format'}`, place)
  const hashes = JSON.parse(inputs ?? '{}') as Record<string, string>
  const kernels: KernelVector[] = []
  for (const kernel of KERNELS)
    for (const [index, test] of kernel.cases.entries())
      for (const weights of weightTypes(kernel)) {
        const key = keyOf(kernel, index, weights)
        const expected: HostArrays = {}
        for (const { name } of outputsOf(kernel)) {
          if (!header.tensors.has(`${key}/${name}`))
            throw new EngineError('check-failed', 'no stored vector of this kernel; make the file anew', {
              ...place,
              tensor: `${key}/${name}`,
            })
          expected[name] = await readValues(source, header, `${key}/${name}`)
        }
        kernels.push({ kernel, test, weights, inputs: hashes[key] ?? '', expected })
      }
  const about = JSON.parse(models ?? '[]') as Pick<ModelVectors, 'family' | 'config' | 'ids'>[]
  if (about.length !== MODEL_COUNT)
    throw new EngineError(
      'check-failed',
      `vectors of ${about.length} models, expected ${MODEL_COUNT}; make the file anew`,
      place,
    )
  return {
    kernels,
    models: await Promise.all(
      about.map((one) => readModelVectors(one, (name) => readValues(source, header, name))),
    ),
  }
}
