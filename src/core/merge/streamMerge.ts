// A plan executed from checkpoints that are read tensor by tensor: nothing is held but the tensors of the moment, in
// float32, so that a merge rounds once, when its result is stored.

import { EngineError } from '../errors.ts'
import type { Gpu } from '../gpu/device.ts'
import { paddedCount, type WeightReader } from '../model/deviceModel.ts'
import { decodeWeights, encodeWeights, type WeightType } from '../tensors/dtype.ts'
import type { MaterialKind } from './declaration.ts'
import { runMerge } from './execute.ts'
import type { MaterialSource, MergeMethod, PlannedTensor, ShieldSource } from './method.ts'
import type { MergePlan, PlanTensor } from './recipe/plan.ts'
import type { RecipeDtype } from './recipe/recipe.ts'

export const WEIGHT_TYPES: Readonly<Record<RecipeDtype, WeightType>> = {
  float32: 'f32',
  float16: 'f16',
  bfloat16: 'bf16',
}

/** More of a method's material, read from somewhere: float32 values of one tensor. */
export interface ExtraMaterial {
  kind: MaterialKind
  /** which source of the plan; any: the same for all */
  k: number | 'base' | 'any'
  read(tensor: string, signal?: AbortSignal): Promise<Float32Array>
}

export interface StreamedMerge {
  gpu: Gpu
  plan: MergePlan
  /** by the plan's names of models */
  readers: ReadonlyMap<string, Pick<WeightReader, 'readWeight'>>
  extra?: readonly ExtraMaterial[]
  /** what is not read but computed */
  material?: MaterialSource | undefined
  shield?: ShieldSource | undefined
  /** Receives every merged tensor, in the plan's order. */
  write(tensor: PlanTensor, values: Float32Array): void | Promise<void>
  signal?: AbortSignal | undefined
  onProgress?: ((done: number, total: number) => void) | undefined
}

/** The sources, in order, when every tensor has the same ones under its own name; undefined for stacks and the like. */
export function wholeModels(plan: MergePlan): { experts: string[]; base: string | undefined } | undefined {
  const [first] = plan.tensors
  const experts = first.sources.map(({ model }) => model)
  const base = first.base?.model
  const isSame = plan.tensors.every(
    (tensor) =>
      tensor.base?.model === base &&
      (tensor.base === undefined || tensor.base.tensor === tensor.name) &&
      tensor.sources.length === experts.length &&
      tensor.sources.every(({ model, tensor: name }, k) => model === experts[k] && name === tensor.name),
  )
  return isSame ? { experts, base } : undefined
}

/** Names where the values stop being finite. */
export function assertFiniteValues(values: Float32Array, what: string, tensor: string): void {
  const index = values.findIndex((value) => !Number.isFinite(value))
  if (index >= 0)
    throw new EngineError('not-finite', `${what} is ${values[index]} at element ${index}`, { tensor })
}

/** float32 values of a stored tensor, first rounded to `dtype` where one is asked for. */
async function readValues(merge: StreamedMerge, model: string, tensor: string): Promise<Float32Array> {
  const reader = merge.readers.get(model)
  if (!reader) throw new EngineError('request-invalid', `model ${model} is not open`)
  const { bytes, type } = await reader.readWeight(tensor, merge.signal)
  const values = decodeWeights(bytes, type)
  assertFiniteValues(values, `a weight of ${model}`, tensor)
  const { dtype } = merge.plan
  if (dtype === undefined || dtype === 'float32' || WEIGHT_TYPES[dtype] === type) return values
  const rounded = decodeWeights(encodeWeights(values, WEIGHT_TYPES[dtype]), WEIGHT_TYPES[dtype])
  assertFiniteValues(rounded, `a weight of ${model} in ${dtype}`, tensor)
  return rounded
}

/** Runs the whole plan. Rejects `not-finite` with the tensor, `shape-mismatch`, `cancelled`, and what methods reject. */
export async function streamMerge(method: MergeMethod<unknown>, merge: StreamedMerge): Promise<void> {
  const { gpu, plan, extra = [], signal } = merge
  const planned = new Map(plan.tensors.map((tensor) => [tensor.name, tensor]))
  const roles: ExtraMaterial[] = Object.entries(plan.roles).map(([role, model]) => ({
    kind: role as MaterialKind,
    k: 'any',
    read: (tensor) => readValues(merge, model, tensor),
  }))
  let held: GPUBuffer[] = []
  let loaded: { kind: MaterialKind; k: ExtraMaterial['k']; buffer: GPUBuffer }[] = []
  const upload = (values: Float32Array, count: number, tensor: string): GPUBuffer => {
    if (values.length !== count)
      throw new EngineError('shape-mismatch', `found ${values.length} values, expected ${count}`, { tensor })
    const padded = new Float32Array(paddedCount(count))
    padded.set(values)
    const buffer = gpu.pool.take(padded.byteLength)
    held.push(buffer)
    gpu.write(buffer, padded)
    return buffer
  }
  const release = () => {
    gpu.pool.release(...held)
    held = []
    loaded = []
  }
  const open = async ({ name, shape }: PlannedTensor) => {
    const { sources, base } = planned.get(name)!
    const count = shape.reduce((a, b) => a * b, 1)
    const read = async ({ model, tensor }: { model: string; tensor: string }) =>
      upload(await readValues(merge, model, tensor), count, name)
    const models: GPUBuffer[] = []
    for (const source of sources) models.push(await read(source))
    for (const { kind, k, read: values } of [...roles, ...extra]) {
      const value = await values(name, signal)
      loaded.push({ kind, k, buffer: upload(value, value.length, name) })
    }
    return {
      models,
      base: base && (await read(base)),
      out: upload(new Float32Array(count), count, name),
      type: 'f32' as const,
    }
  }
  const material: MaterialSource = (kind, tensor, k, scratch) =>
    loaded.find((entry) => entry.kind === kind && (entry.k === k || entry.k === 'any'))?.buffer ??
    merge.material?.(kind, tensor, k, scratch)
  try {
    await runMerge(method, {
      gpu,
      tensors: plan.tensors.map(({ sources, base: _, ...tensor }) => ({
        ...tensor,
        modelParameters: sources.map(({ parameters }) => parameters),
      })),
      layerCount: plan.layerCount,
      seed: plan.seed,
      material,
      shield: merge.shield,
      open,
      close: async ({ name, shape }, { out }, isWritten) => {
        if (isWritten) {
          const values = await gpu.readFloats(
            out,
            shape.reduce((a, b) => a * b, 1),
          )
          assertFiniteValues(values, 'the merged weight', name)
          await merge.write(planned.get(name)!, values)
        } else gpu.flush()
        release()
      },
      signal,
      onProgress: merge.onProgress,
    })
  } finally {
    release()
  }
}
