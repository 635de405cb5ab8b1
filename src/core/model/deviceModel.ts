// A model's weights on the device: one buffer per Hugging Face tensor, in the stored type, padded to 16 bytes.
// Tensors are streamed in one at a time and checked for NaN and infinity before anything is computed.

import { EngineError, throwIfCancelled } from '../errors.ts'
import type { StoredWeight } from '../files/storedWeight.ts'
import type { Gpu } from '../gpu/device.ts'
import { countNonFinite } from '../kernels/countNonFinite/countNonFinite.ts'
import { narrow, widen } from '../kernels/elementwise/elementwise.ts'
import { decodeWeights, encodeWeights, WEIGHT_BYTES, type WeightType } from '../tensors/dtype.ts'
import { type Encoding, isWeightType } from '../tensors/encoding.ts'
import type { ModelConfig } from './config.ts'
import { listWeights } from './families/decoder.ts'
import type { WeightSpec } from './families/family.ts'
import { uploadWhole } from './storedTensor.ts'

export interface DeviceTensor {
  spec: WeightSpec
  /** elements, without padding */
  count: number
  buffer: GPUBuffer
}

/** Anything weights can be read from by name, in the order of `listWeights`. */
export interface WeightReader {
  name: string
  config: ModelConfig
  readWeight(name: string, signal?: AbortSignal): Promise<{ bytes: Uint8Array; type: WeightType }>
  /** weights as they lie in their files, where the reader has files: types the engine lacks are decoded from there */
  stored?: ReadonlyMap<string, StoredWeight>
}

export interface LoadOptions {
  /** storage on the device */
  type: WeightType
  signal?: AbortSignal | undefined
  onProgress?: ((done: number, total: number) => void) | undefined
}

const CHUNK = 4096

export class DeviceModel {
  readonly gpu: Gpu
  readonly config: ModelConfig
  readonly type: WeightType
  readonly tensors = new Map<string, DeviceTensor>()

  /** Zeroed weights, all or those in `only`; `gpu-limit` when a tensor does not fit a binding. */
  constructor(gpu: Gpu, config: ModelConfig, type: WeightType, only?: ReadonlySet<string>) {
    this.gpu = gpu
    this.config = config
    this.type = type
    for (const spec of listWeights(config)) {
      if (only && !only.has(spec.name)) continue
      const count = spec.shape.reduce((a, b) => a * b, 1)
      this.tensors.set(spec.name, {
        spec,
        count,
        buffer: gpu.createBuffer(paddedCount(count) * WEIGHT_BYTES[type], spec.name),
      })
    }
  }

  /** Streams a checkpoint in. `not-finite` names the first tensor with NaN or infinity. */
  static async load(gpu: Gpu, reader: WeightReader, options: LoadOptions): Promise<DeviceModel> {
    const model = new DeviceModel(gpu, reader.config, options.type)
    try {
      let done = 0
      for (const tensor of model.tensors.values()) {
        throwIfCancelled(options.signal)
        const stored = reader.stored?.get(tensor.spec.name)
        if (stored && !isWeightType(stored.storage.toLowerCase() as Encoding)) {
          await model.loadDecoded(tensor, stored, options.signal)
        } else {
          const { bytes, type } = await reader.readWeight(tensor.spec.name, options.signal)
          gpu.write(
            tensor.buffer,
            type === options.type ? bytes : encodeWeights(decodeWeights(bytes, type), options.type),
          )
        }
        options.onProgress?.(++done, model.tensors.size)
      }
      await model.assertFinite(reader.name)
      return model
    } catch (error) {
      model.dispose()
      throw error
    }
  }

  /** A weight that is stored as none of the engine's types: float32 on the device first, then narrowed. */
  private async loadDecoded(
    { count, buffer }: DeviceTensor,
    weight: StoredWeight,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    if (this.type === 'f32') return uploadWhole(this.gpu, weight, buffer, signal)
    const wide = this.gpu.pool.take(paddedCount(count) * 4)
    try {
      // The last four may reach past the weight; a scratch buffer holds anything there.
      this.gpu.clear(wide)
      await uploadWhole(this.gpu, weight, wide, signal)
      this.gpu.run(narrow, { count: paddedCount(count) }, { a: wide, out: buffer }, this.type)
    } finally {
      this.gpu.pool.release(wide)
    }
  }

  /** From float32 arrays by name; every weight must be there. */
  static fromArrays(
    gpu: Gpu,
    config: ModelConfig,
    arrays: ReadonlyMap<string, Float32Array>,
    type: WeightType = 'f32',
  ): DeviceModel {
    const model = new DeviceModel(gpu, config, type)
    for (const [name, tensor] of model.tensors) {
      const values = arrays.get(name)
      if (values?.length !== tensor.count)
        throw new EngineError(
          'shape-mismatch',
          `found ${values?.length ?? 'no'} values, expected ${tensor.count}`,
          { tensor: name },
        )
      gpu.write(tensor.buffer, encodeWeights(values, type))
    }
    return model
  }

  /** Rejects `not-finite` for the first tensor that holds NaN or infinity. */
  async assertFinite(file: string): Promise<void> {
    for (const { spec, count, buffer } of this.tensors.values()) {
      const chunks = Math.ceil(count / CHUNK)
      const partial = this.gpu.pool.take(chunks * 4)
      this.gpu.run(
        countNonFinite,
        { count, chunkSize: CHUNK, chunks },
        { weight: buffer, partial },
        this.type,
      )
      const counts = await this.gpu.readWords(partial, chunks)
      this.gpu.pool.release(partial)
      const bad = counts.reduce((a, b) => a + b, 0)
      if (bad > 0)
        throw new EngineError('not-finite', `${bad} of ${count} weights are NaN or infinite`, {
          file,
          tensor: spec.name,
        })
    }
  }

  tensor(name: string): DeviceTensor {
    const tensor = this.tensors.get(name)
    if (!tensor) throw new EngineError('request-invalid', 'the model has no such tensor', { tensor: name })
    return tensor
  }

  buffer(name: string): GPUBuffer {
    return this.tensor(name).buffer
  }

  get parameterCount(): number {
    let sum = 0
    for (const { count } of this.tensors.values()) sum += count
    return sum
  }

  /** Stored bytes of a tensor, without padding. */
  async readStored(name: string): Promise<Uint8Array> {
    const { buffer, count } = this.tensor(name)
    return new Uint8Array(await this.gpu.readBytes(buffer, count * WEIGHT_BYTES[this.type]))
  }

  /** A tensor as float32. */
  async read(name: string): Promise<Float32Array> {
    return decodeWeights(await this.readStored(name), this.type)
  }

  /** Overwrites every tensor with another model's, converting on the device. */
  copyFrom(other: DeviceModel): void {
    for (const [name, { count, buffer }] of this.tensors) {
      const padded = paddedCount(count)
      if (other.type === this.type) {
        this.gpu.copy(other.buffer(name), buffer, padded * WEIGHT_BYTES[this.type])
        continue
      }
      const wide = this.gpu.pool.take(padded * 4)
      this.gpu.run(widen, { count: padded }, { weight: other.buffer(name), out: wide }, other.type)
      this.gpu.run(narrow, { count: padded }, { a: wide, out: buffer }, this.type)
      this.gpu.pool.release(wide)
    }
  }

  dispose(): void {
    // A submission that names a destroyed buffer is dropped whole, others' work in it included.
    this.gpu.flush()
    for (const { buffer } of this.tensors.values()) buffer.destroy()
    this.tensors.clear()
  }
}

/** Elements of a buffer that elementwise kernels run over: whole fours. */
export function paddedCount(count: number): number {
  return Math.ceil(count / 4) * 4
}

/** Name and padded count of every tensor: what a pass over gradients or differences walks. */
export const paddedTensors = ({ tensors }: Pick<DeviceModel, 'tensors'>): { name: string; count: number }[] =>
  Array.from(tensors.values(), ({ spec, count }) => ({ name: spec.name, count: paddedCount(count) }))
