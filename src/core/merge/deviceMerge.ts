// A merge of models that stand on the device into another that stands there.

import { EngineError } from '../errors.ts'
import type { DeviceModel } from '../model/deviceModel.ts'
import { type MergeJob, runMerge } from './execute.ts'
import type { MaterialSource, MergeMethod, ParameterValues, ShieldSource } from './method.ts'
import { completeParameters } from './parameters.ts'

export interface DeviceMerge {
  base: DeviceModel
  models: readonly DeviceModel[]
  parameters: ParameterValues
  modelParameters: readonly ParameterValues[]
  seed: number
  material?: MaterialSource | undefined
  shield?: ShieldSource | undefined
  signal?: AbortSignal | undefined
  onProgress?: ((done: number, total: number) => void) | undefined
}

/** Layer index in a tensor's name, `model.layers.N.`. */
export function layerOf(name: string): number | undefined {
  const match = /(?:^|\.)layers\.(\d+)\./.exec(name)
  return match ? Number(match[1]) : undefined
}

/** Throws unless a method can merge this many models. */
export function assertModelCount(method: MergeMethod<unknown>, count: number): void {
  const { label, experts } = method.declaration
  if (count >= experts.min && count <= experts.max) return
  const range = experts.min === experts.max ? `exactly ${experts.min}` : `${experts.min} to ${experts.max}`
  throw new EngineError('request-invalid', `${label} merges ${range} models, found ${count}`)
}

/** Writes the merge into `out`, a model of the base's shapes and storage. */
export async function mergeOnDevice(
  method: MergeMethod<unknown>,
  merge: DeviceMerge,
  out: DeviceModel,
): Promise<void> {
  const { base, models } = merge
  assertModelCount(method, models.length)
  for (const model of [...models, out])
    if (model.type !== base.type)
      throw new EngineError(
        'request-invalid',
        `a merge needs one storage type, found ${base.type} and ${model.type}`,
      )
  const complete = completeParameters(method.declaration, merge.parameters, merge.modelParameters)
  const { base: kind, isBaseLeftOut } = method.declaration
  const hasBase = kind === 'required' || (kind === 'optional' && !isBaseLeftOut)
  const job: MergeJob = {
    gpu: base.gpu,
    tensors: [...base.tensors.values()].map(({ spec }) => {
      const layer = layerOf(spec.name)
      return { name: spec.name, shape: spec.shape, ...(layer !== undefined && { layer }), ...complete }
    }),
    layerCount: base.config.layerCount,
    seed: merge.seed,
    material: merge.material,
    shield: merge.shield,
    open: ({ name }) => ({
      base: hasBase ? base.buffer(name) : undefined,
      models: models.map((model) => model.buffer(name)),
      out: out.buffer(name),
      type: base.type,
    }),
    signal: merge.signal,
    onProgress: merge.onProgress,
  }
  await runMerge(method, job)
}
