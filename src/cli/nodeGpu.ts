// WebGPU in Node: Dawn, from the npm package `webgpu`. Gives the same `GPU` object a browser has at
// `navigator.gpu`, so that the core sees no difference. Opens no device; `core/gpu` does.
// The Vulkan driver comes from the environment, which scripts/setup.mjs prepares.
import { EngineError } from '../core/errors.ts'

const hint = 'no usable WebGPU adapter: npm ci, or apt-get install mesa-vulkan-drivers'

let opened: Promise<GPU> | undefined

/** Dawn as `GPU`, installed once as `navigator.gpu` with its globals; rejects with `gpu-unavailable`. */
export function nodeGpu(): Promise<GPU> {
  opened ??= open()
  return opened
}

async function open(): Promise<GPU> {
  const { create, globals } = await import('webgpu')
  Object.assign(globalThis, globals)
  acceptAllViews()
  pauseBetweenPolls()
  const gpu = create([])
  // `navigator` is missing in Node 20 and has no `gpu` later.
  if (typeof globalThis.navigator === 'undefined')
    Object.defineProperty(globalThis, 'navigator', {
      value: { userAgent: `Node.js/${process.versions.node}`, hardwareConcurrency: 2 },
      configurable: true,
    })
  // The property also keeps the instance alive: Dawn dies when it is collected under a living device.
  Object.defineProperty(globalThis.navigator, 'gpu', { value: gpu, configurable: true })
  await refuseNull(gpu)
  return gpu
}

/** The null backend computes nothing and reports no error, so a run on it must fail, not pass. */
export async function refuseNull(gpu: GPU): Promise<void> {
  const adapter = await gpu.requestAdapter()
  if (!adapter) throw new EngineError('gpu-unavailable', hint)
  const { vendor, architecture, device, description } = adapter.info
  const name = [vendor, architecture, device, description].join(' ')
  if (/\bnull\b/i.test(name) || name.trim() === '')
    throw new EngineError('gpu-unavailable', `only the null backend answers; ${hint}`)
}

// Dawn's binding rejects a DataView and any view over a SharedArrayBuffer ("Invalid argument"), which browsers
// accept and onnxruntime-web uses: hand it the same bytes as a Uint8Array, copied where the memory is shared.
function acceptAllViews(): void {
  const write = GPUQueue.prototype.writeBuffer
  GPUQueue.prototype.writeBuffer = function (this: GPUQueue, buffer, bufferOffset, data, dataOffset, size) {
    const view = ArrayBuffer.isView(data) ? data : new Uint8Array(data as ArrayBuffer)
    // Offset and size count elements of a typed array, bytes of anything else.
    const unit = 'BYTES_PER_ELEMENT' in view ? Number(view.BYTES_PER_ELEMENT) : 1
    const skipped = (dataOffset ?? 0) * unit
    const byteLength = size === undefined ? view.byteLength - skipped : size * unit
    const bytes = new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset + skipped, byteLength)
    const isShared = view.buffer instanceof SharedArrayBuffer
    return write.call(this, buffer, bufferOffset, isShared ? new Uint8Array(bytes) : bytes)
  }
}

/** milliseconds between two polls of the driver; far below what a kernel takes in software */
const POLL_MS = 0.1

// While anything is awaited, Dawn's binding polls the driver from one `setImmediate` to the next and keeps a core busy
// that a driver in software computes with: a third of the time of a session's tests. It looks the function up at each
// poll, and what it hands over is the only native function that comes this way.
function pauseBetweenPolls(): void {
  const { setImmediate } = globalThis
  const never = new Int32Array(new SharedArrayBuffer(4))
  const isPoll = (callback: unknown) =>
    Function.prototype.toString.call(callback).endsWith('{ [native code] }')
  const pausing = (callback: (...values: unknown[]) => void, ...values: unknown[]) => {
    if (!isPoll(callback)) return setImmediate(callback, ...values)
    return setImmediate(() => {
      Atomics.wait(never, 0, 0, POLL_MS)
      callback()
    })
  }
  // With what Node keeps on it, the promise of `util.promisify` among it.
  globalThis.setImmediate = Object.assign(pausing, setImmediate) as typeof setImmediate
}
