// Loads onnxruntime-web in Node over Dawn (npm `webgpu`), for the command line and the tests: the same build
// and the same code as in the browser, after three adjustments of the host.

import { EngineError } from '../../errors.ts'
import type { OrtModule } from './ortSession.ts'

/** The few things of Node that are used; the core is typed for the browser. */
interface NodeHost {
  process?: {
    getBuiltinModule?: (id: 'node:v8') => { setFlagsFromString(flags: string): void }
  }
}

/** What npm `webgpu` gives: `gpu` from its `create`, and its `globals` (GPUBufferUsage and so on). */
export interface Dawn {
  gpu: GPU
  globals: object
}

let loading: Promise<OrtModule> | undefined

/**
 * The WebGPU build of onnxruntime-web, ready for sessions on any device of `dawn`. Sets what is missing on
 * `globalThis`, `navigator.gpu` included. `gpu-unavailable` outside Node ≥ 20.16 or without an adapter.
 */
export function loadOrtNode(dawn: Dawn): Promise<OrtModule> {
  loading ??= load(dawn)
  return loading
}

async function load({ gpu, globals }: Dawn): Promise<OrtModule> {
  for (const [name, value] of Object.entries(globals))
    if (!(name in globalThis)) Object.assign(globalThis, { [name]: value })
  const v8 = (globalThis as NodeHost).process?.getBuiltinModule?.('node:v8')
  if (!v8) throw new EngineError('gpu-unavailable', 'expected Node 20.16 or later')
  // V8's optimising compiler takes half a minute of both cores on 27 MB of wasm that mostly waits for the GPU.
  v8.setFlagsFromString('--liftoff-only')
  announceGpu(gpu)
  copySharedWrites()
  const ort = await import('onnxruntime-web/webgpu')
  ort.env.wasm.numThreads = 1
  ort.env.logLevel = 'error'
  return ort
}

/** onnxruntime looks for `navigator.gpu` before it looks at the device it was given; it asks that for an adapter, then leaves it. */
function announceGpu(gpu: GPU): void {
  const host = globalThis as { navigator?: { gpu?: unknown } }
  if (!host.navigator) Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true })
  else if (!host.navigator.gpu)
    Object.defineProperty(host.navigator, 'gpu', { value: gpu, configurable: true })
}

/** Node's binding of Dawn refuses views of shared memory in `writeBuffer`, and onnxruntime's heap is shared: copy first. */
function copySharedWrites(): void {
  const { prototype } = GPUQueue
  const write = prototype.writeBuffer
  prototype.writeBuffer = function (this: GPUQueue, buffer, bufferOffset, data, dataOffset, size) {
    const memory = ArrayBuffer.isView(data) ? data.buffer : data
    if (memory instanceof ArrayBuffer)
      return write.call(this, buffer, bufferOffset, data as BufferSource, dataOffset, size)
    // Offset and size count elements of a typed array, bytes of anything else.
    const unit = ArrayBuffer.isView(data) && 'BYTES_PER_ELEMENT' in data ? Number(data.BYTES_PER_ELEMENT) : 1
    const start = (ArrayBuffer.isView(data) ? data.byteOffset : 0) + (dataOffset ?? 0) * unit
    const byteLength = size === undefined ? data.byteLength - (dataOffset ?? 0) * unit : size * unit
    return write.call(this, buffer, bufferOffset, new Uint8Array(memory, start, byteLength).slice())
  }
}
