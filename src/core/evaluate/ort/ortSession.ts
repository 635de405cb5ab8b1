// What every use of onnxruntime-web shares: the part of its interface that is used, one line of callers, our
// errors for its failures, and the limits of a binding. No graph and no model.

import { EngineError } from '../../errors.ts'
import { raceEnd } from '../../race.ts'

/** Element types of tensors that are exchanged with onnxruntime. */
export type OrtType = 'float32' | 'float16' | 'int32' | 'int64'

/** The part of `onnxruntime-web/webgpu` that is used here; ortBrowser.ts and ortNode.ts load the real one. */
export interface OrtModule {
  Tensor: {
    new (type: 'float32', data: Float32Array, dims: readonly number[]): OrtTensor
    new (type: 'float16', data: Uint16Array, dims: readonly number[]): OrtTensor
    new (type: 'int32', data: Int32Array, dims: readonly number[]): OrtTensor
    new (type: 'int64', data: BigInt64Array, dims: readonly number[]): OrtTensor
    fromGpuBuffer(
      buffer: GPUBuffer,
      options: { dataType: 'float32' | 'float16'; dims: readonly number[] },
    ): OrtTensor
  }
  InferenceSession: {
    create(model: Uint8Array, options: OrtSessionOptions): Promise<OrtSession>
  }
}
export interface OrtTensor {
  readonly dims: readonly number[]
  /** throws where the tensor lies on the device */
  readonly data: unknown
  /** throws where it does not */
  readonly gpuBuffer: unknown
  dispose(): void
}
export interface OrtSession {
  readonly inputNames: readonly string[]
  readonly outputNames: readonly string[]
  /** with `fetches` only those outputs; without, all */
  run(feeds: Record<string, OrtTensor>): Promise<Record<string, OrtTensor>>
  run(feeds: Record<string, OrtTensor>, fetches: readonly string[]): Promise<Record<string, OrtTensor>>
  release(): Promise<void>
}
export interface OrtSessionOptions {
  executionProviders: ({ name: 'webgpu'; device: GPUDevice } | 'wasm')[]
  graphOptimizationLevel: 'basic' | 'all'
  logSeverityLevel: 0 | 1 | 2 | 3 | 4
  /** output name → where it is left; absent: all come to the host */
  preferredOutputLocation?: Record<string, 'cpu' | 'gpu-buffer'>
  /** files that initialisers point into */
  externalData?: { path: string; data: Uint8Array }[]
  extra?: Record<string, unknown>
}

/** An operator that silently moved to the CPU would drag every weight through host memory: an error instead. */
export const NO_FALLBACK = { session: { disable_cpu_ep_fallback: '1' } } as const

const LOSS_GRACE_MS = 10_000

// onnxruntime's wasm suspends on each GPU wait (Asyncify) and cannot be entered a second time meanwhile, by
// whichever session: all calls into it wait in one line.
let line: Promise<unknown> = Promise.resolve()

/** Runs `job` when all earlier ones have ended, and gives its result. */
export function inLine<Result>(job: () => Promise<Result>): Promise<Result> {
  const result = line.then(job, job)
  line = result.catch(() => undefined)
  return result
}

/** Runs a call into onnxruntime's wasm provider, which has no device to ask; its failures are `runtime-failed`. */
export async function onHost<Result>(call: () => Promise<Result>): Promise<Result> {
  try {
    return await call()
  } catch (error) {
    if (error instanceof EngineError) throw error
    throw new EngineError('runtime-failed', `onnxruntime: ${describe(error)}`)
  }
}

/**
 * Runs a call into onnxruntime and turns its failures into ours. After a lost device onnxruntime neither throws
 * nor returns anything true, and a validation error reaches only the device: both are asked for here.
 */
export async function onDevice<Result>(device: GPUDevice, call: () => Promise<Result>): Promise<Result> {
  let fault: string | undefined
  const onFault = (event: GPUUncapturedErrorEvent) => {
    fault ??= event.error.message
  }
  device.addEventListener('uncapturederror', onFault)
  try {
    await refuseLoss(device)
    const result = await raceEnd(call(), lossOf(device).afterGrace)
    // Errors and loss are reported on the device's own timeline: once the queue has drained both are known.
    await device.queue.onSubmittedWorkDone().catch(() => undefined)
    await refuseLoss(device)
    if (fault) throw new EngineError('gpu-failed', `onnxruntime: ${fault}`)
    return result
  } catch (error) {
    if (error instanceof EngineError) throw error
    await refuseLoss(device)
    throw new EngineError('gpu-failed', `onnxruntime: ${describe(error)}`)
  } finally {
    device.removeEventListener('uncapturederror', onFault)
  }
}

const describe = (error: unknown): string => (error instanceof Error ? error.message : String(error))

interface Loss {
  info?: GPUDeviceLostInfo
  /**
   * Rejects some seconds after a loss. A call cut short by one normally ends by itself, and must, because the next
   * caller in line would enter a suspended wasm; should it hang on a promise of the dead device, this ends the wait.
   */
  afterGrace: Promise<never>
}

/** Asked for once per device: whatever waits for `lost` stays in memory as long as the device. */
const losses = new WeakMap<GPUDevice, Loss>()

function lossOf(device: GPUDevice): Loss {
  const known = losses.get(device)
  if (known) return known
  const afterGrace = device.lost.then(async (info) => {
    loss.info = info
    await new Promise((resolve) => setTimeout(resolve, LOSS_GRACE_MS))
    throw lossError(info)
  })
  afterGrace.catch(() => undefined)
  const loss: Loss = { afterGrace }
  losses.set(device, loss)
  return loss
}

/** Throws `device-lost` if the device is lost by now. */
async function refuseLoss(device: GPUDevice): Promise<void> {
  const loss = lossOf(device)
  // A timer turn, not a microtask: Dawn settles `lost` from its own event loop.
  await new Promise((resolve) => setTimeout(resolve, 0))
  if (loss.info) throw lossError(loss.info)
}

function lossError(info: GPUDeviceLostInfo): EngineError {
  return new EngineError('device-lost', `the GPU device was lost: ${info.message || info.reason}`)
}

export function countElements(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1)
}

/** `gpu-limit` where `byteLength` is more than one binding of `device` holds. */
export function requireBinding(device: GPUDevice, byteLength: number, what: string): void {
  const limit = Math.min(device.limits.maxStorageBufferBindingSize, device.limits.maxBufferSize)
  if (byteLength > limit)
    throw new EngineError('gpu-limit', `${what}: ${byteLength} bytes, the device binds at most ${limit}`)
}
