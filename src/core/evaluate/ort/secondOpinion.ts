// The second opinion: the same weights, on the same device, through onnxruntime-web's WebGPU provider. An
// independent set of kernels that agrees with ours to rounding is evidence that neither is wrong. Weights are
// bound where they lie (no copy), so a merged model is checked without opening a new session.

import { EngineError } from '../../errors.ts'
import type { ModelConfig } from '../../model/config.ts'
import type { WeightSpec } from '../../model/families/family.ts'
import { buildDecoderGraph, prepareSequence } from './decoderGraph.ts'
import {
  countElements,
  inLine,
  NO_FALLBACK,
  type OrtModule,
  type OrtSession,
  type OrtTensor,
  onDevice,
  requireBinding,
} from './ortSession.ts'

export interface OrtDecoderOptions {
  /** 'basic' runs the graph as written; 'all' lets onnxruntime fuse nodes. Default 'basic' */
  optimization?: 'basic' | 'all'
}

/** f32 tensor, whole and alone in its buffer from byte 0; usage STORAGE | COPY_SRC | COPY_DST. */
export type WeightBuffers = (name: string) => GPUBuffer

/** One decoder of a config in onnxruntime; serves any weights and sequence lengths of that config. */
export class OrtDecoder {
  readonly #ort: OrtModule
  readonly #device: GPUDevice
  readonly #config: ModelConfig
  readonly #weights: WeightSpec[]
  readonly #session: OrtSession
  #isDisposed = false

  private constructor(
    ort: OrtModule,
    device: GPUDevice,
    config: ModelConfig,
    weights: WeightSpec[],
    session: OrtSession,
  ) {
    this.#ort = ort
    this.#device = device
    this.#config = config
    this.#weights = weights
    this.#session = session
  }

  /**
   * Creates the session on `device`, which stays the caller's. `gpu-limit` names a weight that one binding cannot
   * hold; `gpu-failed` when onnxruntime refuses the graph or would run part of it on the CPU; `device-lost`.
   */
  static async open(
    ort: OrtModule,
    device: GPUDevice,
    config: ModelConfig,
    options: OrtDecoderOptions = {},
  ): Promise<OrtDecoder> {
    const { bytes, weights } = buildDecoderGraph(config)
    for (const { name, shape } of weights) requireBinding(device, 4 * countElements(shape), `tensor ${name}`)
    const create = () =>
      ort.InferenceSession.create(bytes, {
        // `ort.env.webgpu.device` is ignored by 1.30: the provider option is the way to share a device.
        executionProviders: [{ name: 'webgpu', device }],
        graphOptimizationLevel: options.optimization ?? 'basic',
        logSeverityLevel: 3,
        extra: NO_FALLBACK,
      })
    const session = await inLine(() => onDevice(device, create))
    return new OrtDecoder(ort, device, config, weights, session)
  }

  /**
   * Logits (T,V) of the sequence `ids` (T), from position 0. Our own writes to the weights must have been submitted
   * (`Gpu.flush`); nothing needs to be awaited. `request-invalid` for no or unknown tokens,
   * `shape-mismatch` for a buffer of the wrong size, `gpu-limit` for a sequence too long for one binding,
   * `gpu-failed` and `device-lost` from the run.
   */
  async logits(ids: readonly number[], weights: WeightBuffers): Promise<Float32Array> {
    const { vocabSize: V, headCount: H } = this.#config
    if (this.#isDisposed) throw new EngineError('request-invalid', 'the onnxruntime decoder was disposed')
    const length = ids.length
    if (length === 0) throw new EngineError('request-invalid', 'expected at least one token, found none')
    ids.forEach((id, t) => {
      // onnxruntime does not check: it would read another row, or none.
      if (!(Number.isInteger(id) && id >= 0 && id < V))
        throw new EngineError('request-invalid', `token ${id} at position ${t}: expected 0 to ${V - 1}`)
    })
    requireBinding(this.#device, 4 * H * length * length, `attention scores of ${length} tokens`)
    requireBinding(this.#device, 4 * length * V, `logits of ${length} tokens`)
    const feeds = { ...this.#bindWeights(weights), ...this.#sequenceFeeds(ids) }
    const outputs = await inLine(() => onDevice(this.#device, () => this.#session.run(feeds)))
    const data = outputs.logits?.data
    if (!(data instanceof Float32Array) || data.length !== length * V)
      throw new EngineError('gpu-failed', `onnxruntime returned no logits of ${length} × ${V}`)
    return data
  }

  /** Frees the session and onnxruntime's buffers; device and weights stay. */
  async dispose(): Promise<void> {
    if (this.#isDisposed) return
    this.#isDisposed = true
    await inLine(() => this.#session.release())
  }

  #bindWeights(weights: WeightBuffers): Record<string, OrtTensor> {
    const feeds: Record<string, OrtTensor> = {}
    for (const { name, shape } of this.#weights) {
      const buffer = weights(name)
      const byteLength = 4 * countElements(shape)
      // Buffers may be padded at the end; a shorter one is another tensor, or not f32.
      if (buffer.size < byteLength)
        throw new EngineError(
          'shape-mismatch',
          `expected ${byteLength} bytes of f32, found a buffer of ${buffer.size}`,
          { tensor: name },
        )
      feeds[name] = this.#ort.Tensor.fromGpuBuffer(buffer, { dataType: 'float32', dims: shape })
    }
    return feeds
  }

  #sequenceFeeds(ids: readonly number[]): Record<string, OrtTensor> {
    const { Tensor } = this.#ort
    const { cos, sin, masks, ids: tokens } = prepareSequence(this.#config, ids)
    const length = ids.length
    const half = this.#config.rotary.size / 2
    const feeds: Record<string, OrtTensor> = {
      ids: new Tensor('int32', tokens, [length]),
      cos: new Tensor('float32', cos, [length, half]),
      sin: new Tensor('float32', sin, [length, half]),
    }
    for (const [name, mask] of masks) feeds[name] = new Tensor('float32', mask, [length, length])
    return feeds
  }
}

/**
 * ‖ours − theirs‖ / ‖theirs‖ over all elements, in float64; 0 for two zero tensors. `shape-mismatch` for unequal
 * lengths, `not-finite` names the first element that is not a number on either side.
 */
export function relativeError(ours: ArrayLike<number>, theirs: ArrayLike<number>): number {
  if (ours.length !== theirs.length)
    throw new EngineError('shape-mismatch', `cannot compare ${ours.length} elements with ${theirs.length}`)
  let difference = 0
  let size = 0
  for (let i = 0; i < ours.length; i++) {
    if (!Number.isFinite(ours[i]) || !Number.isFinite(theirs[i]))
      throw new EngineError('not-finite', `element ${i}: ours ${ours[i]}, onnxruntime's ${theirs[i]}`)
    difference += (ours[i] - theirs[i]) ** 2
    size += theirs[i] ** 2
  }
  return difference === 0 ? 0 : Math.sqrt(difference / size)
}
