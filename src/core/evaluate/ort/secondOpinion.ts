// The second opinion: the same weights, on the same device, through onnxruntime-web's WebGPU provider. An
// independent set of kernels that agrees with ours to rounding is evidence that neither is wrong. Weights are
// bound where they lie (no copy), so a merged model is checked without opening a new session.

import { EngineError } from '../../errors.ts'
import type { ModelConfig } from '../../model/config.ts'
import type { WeightSpec } from '../../model/families/family.ts'
import { buildDecoderGraph, prepareSequence } from './decoderGraph.ts'

/** The part of `onnxruntime-web/webgpu` that is used here; ortBrowser.ts and ortNode.ts load the real one. */
export interface OrtModule {
  Tensor: {
    new (type: 'float32', data: Float32Array, dims: readonly number[]): OrtTensor
    new (type: 'int32', data: Int32Array, dims: readonly number[]): OrtTensor
    fromGpuBuffer(buffer: GPUBuffer, options: { dataType: 'float32'; dims: readonly number[] }): OrtTensor
  }
  InferenceSession: {
    create(model: Uint8Array, options: OrtSessionOptions): Promise<OrtSession>
  }
}
export interface OrtTensor {
  readonly dims: readonly number[]
  readonly data: unknown
}
export interface OrtSession {
  run(feeds: Record<string, OrtTensor>): Promise<Record<string, OrtTensor>>
  release(): Promise<void>
}
export interface OrtSessionOptions {
  executionProviders: { name: 'webgpu'; device: GPUDevice }[]
  graphOptimizationLevel: 'basic' | 'all'
  logSeverityLevel: 0 | 1 | 2 | 3 | 4
  extra: Record<string, unknown>
}

export interface OrtDecoderOptions {
  /** 'basic' runs the graph as written; 'all' lets onnxruntime fuse nodes. Default 'basic' */
  optimization?: 'basic' | 'all'
}

/** f32 tensor, whole and alone in its buffer from byte 0; usage STORAGE | COPY_SRC | COPY_DST. */
export type WeightBuffers = (name: string) => GPUBuffer

const LOSS_GRACE_MS = 10_000

// onnxruntime's wasm suspends on each GPU wait (Asyncify) and cannot be entered a second time meanwhile, by
// whichever session: all calls into it wait in one line.
let line: Promise<unknown> = Promise.resolve()

function inLine<Result>(job: () => Promise<Result>): Promise<Result> {
  const result = line.then(job, job)
  line = result.catch(() => undefined)
  return result
}

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
    for (const { name, shape } of weights) requireBinding(device, countElements(shape), `tensor ${name}`)
    const create = () =>
      ort.InferenceSession.create(bytes, {
        // `ort.env.webgpu.device` is ignored by 1.30: the provider option is the way to share a device.
        executionProviders: [{ name: 'webgpu', device }],
        graphOptimizationLevel: options.optimization ?? 'basic',
        logSeverityLevel: 3,
        // An operator that silently moved to the CPU would drag every weight through host memory.
        extra: { session: { disable_cpu_ep_fallback: '1' } },
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
    requireBinding(this.#device, H * length * length, `attention scores of ${length} tokens`)
    requireBinding(this.#device, length * V, `logits of ${length} tokens`)
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

/**
 * Runs a call into onnxruntime and turns its failures into ours. After a lost device onnxruntime neither throws
 * nor returns anything true, and a validation error reaches only the device: both are asked for here.
 */
async function onDevice<Result>(device: GPUDevice, call: () => Promise<Result>): Promise<Result> {
  let fault: string | undefined
  const onFault = (event: GPUUncapturedErrorEvent) => {
    fault ??= event.error.message
  }
  device.addEventListener('uncapturederror', onFault)
  try {
    await refuseLoss(device)
    const result = await Promise.race([call(), lossAfterGrace(device)])
    // Errors and loss are reported on the device's own timeline: once the queue has drained both are known.
    await device.queue.onSubmittedWorkDone().catch(() => undefined)
    await refuseLoss(device)
    if (fault) throw new EngineError('gpu-failed', `onnxruntime: ${fault}`)
    return result
  } catch (error) {
    if (error instanceof EngineError) throw error
    await refuseLoss(device)
    throw new EngineError(
      'gpu-failed',
      `onnxruntime: ${error instanceof Error ? error.message : String(error)}`,
    )
  } finally {
    device.removeEventListener('uncapturederror', onFault)
  }
}

/**
 * Rejects some seconds after a loss. A call cut short by one normally ends by itself, and must, because the next
 * caller in line would enter a suspended wasm; should it hang on a promise of the dead device, this ends the wait.
 */
async function lossAfterGrace(device: GPUDevice): Promise<never> {
  const info = await device.lost
  await new Promise((resolve) => setTimeout(resolve, LOSS_GRACE_MS))
  throw lossError(info)
}

/** Throws `device-lost` if the device is lost by now. */
async function refuseLoss(device: GPUDevice): Promise<void> {
  // A timer turn, not a microtask: Dawn settles `lost` from its own event loop.
  const turn = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), 0))
  const info = await Promise.race([device.lost, turn])
  if (info) throw lossError(info)
}

function lossError(info: GPUDeviceLostInfo): EngineError {
  return new EngineError('device-lost', `the GPU device was lost: ${info.message || info.reason}`)
}

function countElements(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1)
}

function requireBinding(device: GPUDevice, elements: number, what: string): void {
  const limit = Math.min(device.limits.maxStorageBufferBindingSize, device.limits.maxBufferSize)
  if (4 * elements > limit)
    throw new EngineError('gpu-limit', `${what}: ${4 * elements} bytes, the device binds at most ${limit}`)
}
