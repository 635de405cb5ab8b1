// Compares every method with stored vectors: a folder of inputs (base, x, y, z … .safetensors), cases.json and
// expected.safetensors (`<case>.<tensor>`), and optionally material.safetensors (`<kind>.<model>.<tensor>`). Used by
// `npm run verify` in Node and in the browser, and by the tests on the project's own golden folder.

import { EngineError } from '../errors.ts'
import type { CheckpointFolder } from '../files/folder.ts'
import { readSafetensorsHeader, readTensor } from '../files/safetensors.ts'
import { readText } from '../files/source.ts'
import type { Gpu } from '../gpu/device.ts'
import type { MaterialKind, ParameterScalar } from '../merge/declaration.ts'
import { assertModelCount, layerOf } from '../merge/deviceMerge.ts'
import { runMerge } from '../merge/execute.ts'
import type { MaterialSource, PlannedTensor, ReferenceModel } from '../merge/method.ts'
import { methodOf } from '../merge/methods/registry.ts'
import { completeParameters } from '../merge/parameters.ts'
import { paddedCount } from '../model/deviceModel.ts'
import { decodeWeights } from '../tensors/dtype.ts'
import { relativeNorm } from './verifyFamily.ts'

/** ‖ours − ref‖ / ‖ref‖ of every tensor. */
export const MERGE_BOUND = 1e-5

/** cases.json larger than this is refused, bytes. */
const JSON_LIMIT = 2 ** 22

export interface MergeCase {
  case: number
  method: string
  base: string | null
  models: string[]
  parameters: Record<string, ParameterScalar>
  tensor_parameters: Record<string, Record<string, ParameterScalar>>
  seed: number | null
  /** names of further models: `{ "aligned": "u" }` */
  material?: Partial<Record<MaterialKind, string>>
}

interface StoredTensor {
  shape: readonly number[]
  values: Float32Array
}
export type StoredModel = ReadonlyMap<string, StoredTensor>

export interface MergeVectors {
  cases: MergeCase[]
  models: Map<string, StoredModel>
  material: StoredModel
  expected: StoredModel
}

export interface MergeRow {
  case: number
  method: string
  /** the tensor with the largest error */
  worst: string
  error: number
  bound: number
  tensors: number
  passed: boolean
  /** why it failed otherwise: an error's text, or zeros of merged − base that are elsewhere */
  fault?: string
}

/** True for a folder that holds merge vectors. */
export const isMergeFolder = async (folder: CheckpointFolder): Promise<boolean> =>
  (await folder.file('cases.json')) !== undefined

async function readModel(folder: CheckpointFolder, name: string): Promise<StoredModel> {
  const source = await folder.file(`${name}.safetensors`)
  if (!source) throw new EngineError('file-missing', 'no such file', { file: `${name}.safetensors` })
  const header = await readSafetensorsHeader(source)
  const model = new Map<string, StoredTensor>()
  for (const [tensor, { shape, dtype }] of header.tensors) {
    if (dtype !== 'F32')
      throw new EngineError('file-malformed', `found ${dtype}, expected F32`, { file: source.name, tensor })
    const bytes = await readTensor(source, header, tensor)
    model.set(tensor, { shape, values: decodeWeights(bytes, 'f32') })
  }
  return model
}

/** Reads a whole folder of vectors; rejects with the file that is missing or malformed. */
export async function readMergeVectors(folder: CheckpointFolder): Promise<MergeVectors> {
  const source = await folder.file('cases.json')
  if (!source) throw new EngineError('file-missing', 'no such file', { file: 'cases.json' })
  const cases = JSON.parse(await readText(source, JSON_LIMIT)) as MergeCase[]
  if (!Array.isArray(cases) || cases.length === 0)
    throw new EngineError('file-malformed', 'expected a list of cases', { file: 'cases.json' })
  const names = new Set<string>()
  for (const { base, models, material } of cases)
    for (const name of [base, ...models, ...Object.values(material ?? {})]) if (name) names.add(name)
  const models = new Map<string, StoredModel>()
  for (const name of names) models.set(name, await readModel(folder, name))
  const hasMaterial = (await folder.file('material.safetensors')) !== undefined
  return {
    cases,
    models,
    material: hasMaterial ? await readModel(folder, 'material') : new Map(),
    expected: await readModel(folder, 'expected'),
  }
}

/** What mergekit hands to every method, also to those that have no use for it. */
const IGNORED = ['weight', 'density', 'int8_mask']

/** The tensors of a case with complete parameters; layers are counted by name. */
export function planCase(
  vectors: MergeVectors,
  merge: MergeCase,
): { tensors: PlannedTensor[]; layerCount: number } {
  const { declaration } = methodOf(merge.method)
  const known = new Set(declaration.parameters.map(({ id }) => id))
  const own = (values: Record<string, ParameterScalar>) =>
    Object.fromEntries(Object.entries(values).filter(([id]) => known.has(id) || !IGNORED.includes(id)))
  const complete = completeParameters(
    declaration,
    own(merge.parameters),
    merge.models.map((name) => own(merge.tensor_parameters[name] ?? {})),
  )
  const first = vectors.models.get(merge.base ?? merge.models[0])!
  const tensors = [...first].map(([name, { shape }]): PlannedTensor => {
    const layer = layerOf(name)
    return { name, shape, ...(layer !== undefined && { layer }), ...complete }
  })
  const layers = tensors.flatMap(({ layer }) => (layer === undefined ? [] : [layer]))
  return { tensors, layerCount: Math.max(0, ...layers.map((layer) => layer + 1)) }
}

/** Stored extra input of a case: another model's tensor, or an entry of material.safetensors. */
function storedMaterial(
  { models, material }: MergeVectors,
  merge: MergeCase,
  kind: MaterialKind,
  tensor: string,
  k: number | 'base',
): Float32Array | undefined {
  const named = merge.material?.[kind]
  if (named !== undefined) return models.get(named)?.get(tensor)?.values
  const model = k === 'base' ? merge.base : merge.models[k]
  return material.get(`${kind}.${model}.${tensor}`)?.values
}

/** Merged tensors of one case, computed on the device from float32. */
export async function runCase(
  gpu: Gpu,
  vectors: MergeVectors,
  merge: MergeCase,
): Promise<Map<string, Float32Array>> {
  const method = methodOf(merge.method)
  assertModelCount(method, merge.models.length)
  const { tensors, layerCount } = planCase(vectors, merge)
  const merged = new Map<string, Float32Array>()
  const uploaded: GPUBuffer[] = []
  const upload = (values: Float32Array) => {
    const padded = new Float32Array(paddedCount(values.length))
    padded.set(values)
    const buffer = gpu.upload(padded)
    uploaded.push(buffer)
    return buffer
  }
  const tensorOf = (model: string, { name, shape }: PlannedTensor) => {
    const stored = vectors.models.get(model)?.get(name)
    if (!stored || stored.shape.join() !== shape.join())
      throw new EngineError(
        'shape-mismatch',
        `${model}: found ${stored?.shape ?? 'nothing'}, expected ${shape}`,
        {
          tensor: name,
        },
      )
    return stored.values
  }
  const material: MaterialSource = (kind, tensor, k) => {
    const values = storedMaterial(vectors, merge, kind, tensor, k)
    return values && upload(values)
  }
  await runMerge(method, {
    gpu,
    tensors,
    layerCount,
    seed: merge.seed ?? 0,
    material,
    open: (tensor) => ({
      base: merge.base === null ? undefined : upload(tensorOf(merge.base, tensor)),
      models: merge.models.map((model) => upload(tensorOf(model, tensor))),
      out: upload(new Float32Array(tensor.shape.reduce((a, b) => a * b, 1))),
      type: 'f32',
    }),
    close: async ({ name, shape }, { out }, isWritten) => {
      const count = shape.reduce((a, b) => a * b, 1)
      if (isWritten) merged.set(name, await gpu.readFloats(out, count))
      gpu.flush()
      for (const buffer of uploaded.splice(0)) buffer.destroy()
    },
  })
  return merged
}

/** What a float64 reference is given for a case. */
export function referenceInput(vectors: MergeVectors, merge: MergeCase): ReferenceModel {
  const wide = (name: string) =>
    new Map([...vectors.models.get(name)!].map(([tensor, { values }]) => [tensor, Float64Array.from(values)]))
  return {
    ...planCase(vectors, merge),
    seed: merge.seed ?? 0,
    base: merge.base === null ? undefined : wide(merge.base),
    models: merge.models.map(wide),
    material: (kind, tensor, k) => {
      const values = storedMaterial(vectors, merge, kind, tensor, k)
      return values && Float64Array.from(values)
    },
  }
}

/** Methods whose zeros of merged − base are the drawn mask itself. */
const COMPARED_BY_PATTERN = ['dare_linear', 'della_linear']

/** One row of the report: merged tensors of any origin against the stored ones. */
export function compareCase(
  vectors: MergeVectors,
  merge: MergeCase,
  merged: ReadonlyMap<string, ArrayLike<number>>,
  bound = MERGE_BOUND,
): MergeRow {
  const row: MergeRow = {
    case: merge.case,
    method: merge.method,
    worst: '',
    error: 0,
    bound,
    tensors: 0,
    passed: true,
  }
  const prefix = `${merge.case}.`
  for (const [key, { values }] of vectors.expected) {
    if (!key.startsWith(prefix)) continue
    const name = key.slice(prefix.length)
    const ours = merged.get(name)
    const error = ours ? relativeNorm(ours, values) : Number.POSITIVE_INFINITY
    row.tensors++
    if (error >= row.error) Object.assign(row, { worst: name, error })
    if (ours && merge.base !== null && COMPARED_BY_PATTERN.includes(merge.method)) {
      const base = vectors.models.get(merge.base)!.get(name)!.values
      let differing = 0
      values.forEach((value, i) => {
        if ((value === base[i]) !== (ours[i] === base[i])) differing++
      })
      if (differing > 0) row.fault = `${name}: merged − base is zero elsewhere at ${differing} places`
    }
  }
  if (row.tensors === 0) row.fault = 'nothing was compared'
  row.passed = row.error <= bound && row.fault === undefined
  return row
}

/** Every case of a folder on the device. */
export async function verifyMerge(gpu: Gpu, folder: CheckpointFolder): Promise<MergeRow[]> {
  const vectors = await readMergeVectors(folder)
  const rows: MergeRow[] = []
  for (const merge of vectors.cases) {
    try {
      rows.push(compareCase(vectors, merge, await runCase(gpu, vectors, merge)))
    } catch (error) {
      const fault = error instanceof EngineError ? `${error.code}: ${error.message}` : String(error)
      rows.push({
        case: merge.case,
        method: merge.method,
        worst: '',
        error: Number.POSITIVE_INFINITY,
        bound: MERGE_BOUND,
        tensors: 0,
        passed: false,
        fault,
      })
    }
  }
  return rows
}
