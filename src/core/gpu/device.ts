// One WebGPU device: limits, adapter name, pipelines, dispatch, read-back and loss. The same class runs in a
// browser worker and in Node over Dawn; the caller supplies the `GPU` object.

import { EngineError } from '../errors.ts'
import packed from '../kernels/shared/packed.wgsl?raw'
import { type KernelSpec, type KernelVariant, type Params, wgslHeader } from '../kernels/spec.ts'
import { raceEnd } from '../race.ts'
import type { WeightType } from '../tensors/dtype.ts'
import { BufferPool } from './bufferPool.ts'

export interface AdapterSummary {
  /** one line for people */
  adapter: string
  vendor: string
  architecture: string
  isFallback: boolean
  hasF16: boolean
  maxBindingBytes: number
}

/** A buffer, or a part of one; offsets are multiples of 256 bytes. */
export type BufferRange = GPUBuffer | { buffer: GPUBuffer; offset: number; size: number }

interface Pipeline {
  pipeline: GPUComputePipeline
  layout: GPUBindGroupLayout
}

// Uniform blocks are written into one ring, 256 bytes each, and addressed by dynamic offset.
const UNIFORM_STRIDE = 256
const UNIFORM_SLOTS = 1024
const STORAGE = 0x80 | 0x4 | 0x8 // STORAGE | COPY_SRC | COPY_DST; the names are missing in Node until Dawn loads

export class Gpu {
  readonly device: GPUDevice
  readonly summary: AdapterSummary
  readonly pool: BufferPool
  /** set once the device is gone; every later call rejects with it */
  lostReason: string | undefined
  readonly lost: Promise<string>
  /** rejects when the device is lost */
  private readonly end: Promise<never>
  private readonly pipelines = new Map<string, Pipeline>()
  private readonly uniforms: GPUBuffer
  private readonly uniformData = new ArrayBuffer(UNIFORM_STRIDE * UNIFORM_SLOTS)
  private uniformSlot = 0
  private encoder: GPUCommandEncoder | undefined
  private pass: GPUComputePassEncoder | undefined
  private failure: EngineError | undefined
  private readonly zero: GPUBuffer
  /** dispatches since the device was opened */
  dispatchCount = 0
  /** most workgroups in one dimension; tests lower it to see kernels continue in y */
  groupLimit: number

  private constructor(device: GPUDevice, summary: AdapterSummary) {
    this.device = device
    this.summary = summary
    this.groupLimit = device.limits.maxComputeWorkgroupsPerDimension
    this.pool = new BufferPool(device)
    this.uniforms = device.createBuffer({ size: UNIFORM_STRIDE * UNIFORM_SLOTS, usage: 0x40 | 0x8 })
    this.zero = device.createBuffer({ size: 256, usage: STORAGE })
    this.lost = device.lost.then((info) => {
      this.lostReason = info.message || info.reason || 'unknown reason'
      return this.lostReason
    })
    this.end = this.lost.then((reason) => Promise.reject(new Error(reason)))
    this.end.catch(() => undefined)
    device.addEventListener('uncapturederror', (event) => {
      this.failure ??= new EngineError('gpu-failed', (event as GPUUncapturedErrorEvent).error.message)
    })
  }

  /**
   * Opens a device with the adapter's own limits. `gpu-unavailable` when there is none or only the null
   * backend, which computes nothing and reports no error.
   */
  static async open(gpu: GPU | undefined): Promise<Gpu> {
    if (!gpu) throw new EngineError('gpu-unavailable', 'this environment has no WebGPU')
    const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' })
    if (!adapter) throw new EngineError('gpu-unavailable', 'WebGPU is present, but no adapter was offered')
    const { info, limits, features } = adapter
    const description = info.description || info.device || ''
    if (/null/i.test(info.vendor) || /null.?backend/i.test(`${info.architecture} ${description}`))
      throw new EngineError(
        'gpu-unavailable',
        `adapter «${description}» is a null backend: it computes nothing`,
      )
    const wanted: GPUFeatureName[] = ['shader-f16', 'subgroups', 'timestamp-query']
    let device: GPUDevice
    try {
      device = await adapter.requestDevice({
        requiredFeatures: wanted.filter((feature) => features.has(feature)),
        requiredLimits: {
          maxBufferSize: limits.maxBufferSize,
          maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
          maxStorageBuffersPerShaderStage: limits.maxStorageBuffersPerShaderStage,
          maxComputeWorkgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
        },
      })
    } catch (error) {
      throw new EngineError('gpu-unavailable', `the adapter refused a device: ${String(error)}`)
    }
    const isFallback =
      (info.isFallbackAdapter ?? false) || /swiftshader|llvmpipe/i.test(`${info.architecture} ${description}`)
    const name =
      description || [info.vendor, info.architecture].filter(Boolean).join(' ') || 'unnamed adapter'
    return new Gpu(device, {
      adapter: name,
      vendor: info.vendor,
      architecture: info.architecture,
      isFallback,
      hasF16: features.has('shader-f16'),
      maxBindingBytes: limits.maxStorageBufferBindingSize,
    })
  }

  /** Throws `device-lost` or the first error that the device reported. */
  check(): void {
    if (this.lostReason !== undefined)
      throw new EngineError('device-lost', `the GPU device was lost: ${this.lostReason}`)
    if (this.failure) {
      const failure = this.failure
      this.failure = undefined
      throw failure
    }
  }

  /** New storage buffer, zeroed, size rounded up to 16 bytes; `gpu-limit` above the adapter's largest binding. */
  createBuffer(byteLength: number, what = 'buffer'): GPUBuffer {
    this.check()
    const size = Math.max(16, Math.ceil(byteLength / 16) * 16)
    const limit = Math.min(this.device.limits.maxStorageBufferBindingSize, this.device.limits.maxBufferSize)
    if (size > limit)
      throw new EngineError('gpu-limit', `${what} needs ${size} bytes, the adapter binds at most ${limit}`)
    return this.device.createBuffer({ size, usage: STORAGE })
  }

  /** New storage buffer holding `data`; odd byte lengths are padded with zeros. */
  upload(data: ArrayBufferView, what?: string): GPUBuffer {
    const buffer = this.createBuffer(data.byteLength, what)
    this.write(buffer, data)
    return buffer
  }

  /** Queue-ordered write at `offset`; dispatches encoded before it run before it. */
  write(buffer: GPUBuffer, data: ArrayBufferView, offset = 0): void {
    this.flush()
    const bytes = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength)
    if (bytes.byteLength % 4 === 0) {
      this.device.queue.writeBuffer(buffer, offset, bytes)
      return
    }
    const padded = new Uint8Array(Math.ceil(bytes.byteLength / 4) * 4)
    padded.set(bytes)
    this.device.queue.writeBuffer(buffer, offset, padded)
  }

  /** A small buffer of zeros for bindings that a dispatch does not use. */
  get unused(): GPUBuffer {
    return this.zero
  }

  /** Encodes one dispatch. `buffers` by binding name; `weights` is the storage type of `weight` bindings. */
  run(
    kernel: KernelSpec,
    params: Params,
    buffers: Record<string, BufferRange>,
    weights: WeightType = 'f32',
  ): void {
    const aligned = kernel.isAligned ? kernel.isAligned(params) : true
    const { pipeline, layout } = this.pipeline(kernel, { weights, aligned })
    const offset = this.writeParams(kernel, params)
    const entries: GPUBindGroupEntry[] = [
      { binding: 0, resource: { buffer: this.uniforms, offset: 0, size: UNIFORM_STRIDE } },
    ]
    kernel.bindings.forEach((binding, i) => {
      const range = buffers[binding.name]
      if (!range)
        throw new EngineError('gpu-failed', `kernel ${kernel.name}: no buffer for binding ${binding.name}`)
      const resource = 'buffer' in range ? range : { buffer: range }
      entries.push({ binding: i + 1, resource })
    })
    const group = this.device.createBindGroup({ layout, entries })
    this.encoder ??= this.device.createCommandEncoder()
    this.pass ??= this.encoder.beginComputePass()
    this.pass.setPipeline(pipeline)
    this.pass.setBindGroup(0, group, [offset])
    const [x, y, z] = this.workgroups(kernel, params)
    this.pass.dispatchWorkgroups(x, y, z)
    this.dispatchCount++
  }

  /** Groups per dimension; kernels that ask for `num_workgroups` continue in y past the limit in x. */
  private workgroups(kernel: KernelSpec, params: Params): [number, number, number] {
    const threads = kernel.threads(params)
    const size = kernel.workgroupSize
    const groups = [0, 1, 2].map((d) => Math.max(1, Math.ceil(threads[d] / size[d]))) as [
      number,
      number,
      number,
    ]
    const limit = this.groupLimit
    if (groups[0] > limit && groups[1] === 1 && kernel.wgsl.includes('num_workgroups')) {
      groups[1] = Math.ceil(groups[0] / limit)
      groups[0] = limit
    }
    if (groups.some((g) => g > limit))
      throw new EngineError(
        'gpu-limit',
        `kernel ${kernel.name} needs ${groups.join('×')} workgroups, the limit is ${limit}`,
      )
    return groups
  }

  private writeParams(kernel: KernelSpec, params: Params): number {
    if (this.uniformSlot === UNIFORM_SLOTS) this.flush()
    const offset = this.uniformSlot++ * UNIFORM_STRIDE
    const view = new DataView(this.uniformData, offset, UNIFORM_STRIDE)
    kernel.params.forEach(([name, type], i) => {
      const value = params[name]
      if (value === undefined)
        throw new EngineError('gpu-failed', `kernel ${kernel.name}: parameter ${name} is missing`)
      if (type === 'u32') view.setUint32(i * 4, value, true)
      else view.setFloat32(i * 4, value, true)
    })
    return offset
  }

  private pipeline(kernel: KernelSpec, variant: KernelVariant): Pipeline {
    const key = `${kernel.name}/${variant.weights}/${variant.aligned}`
    const known = this.pipelines.get(key)
    if (known) return known
    const code = `${kernel.wgsl}\n${wgslHeader(kernel, variant, packed)}`
    const module = this.device.createShaderModule({ label: key, code })
    const entries: GPUBindGroupLayoutEntry[] = [
      { binding: 0, visibility: 4, buffer: { type: 'uniform', hasDynamicOffset: true } },
      ...kernel.bindings.map((binding, i) => ({
        binding: i + 1,
        visibility: 4,
        buffer: {
          type: (binding.access === 'read' ? 'read-only-storage' : 'storage') as GPUBufferBindingType,
        },
      })),
    ]
    const layout = this.device.createBindGroupLayout({ label: key, entries })
    const pipeline = this.device.createComputePipeline({
      label: key,
      layout: this.device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module, entryPoint: 'main' },
    })
    const made = { pipeline, layout }
    this.pipelines.set(key, made)
    return made
  }

  /** Encodes a clear of the whole buffer to zero. */
  clear(buffer: GPUBuffer): void {
    this.commands().clearBuffer(buffer)
  }

  /** Encodes a copy of `byteLength` bytes, a multiple of four. */
  copy(from: GPUBuffer, to: GPUBuffer, byteLength: number, fromOffset = 0, toOffset = 0): void {
    this.commands().copyBufferToBuffer(from, fromOffset, to, toOffset, byteLength)
  }

  private commands(): GPUCommandEncoder {
    this.pass?.end()
    this.pass = undefined
    this.encoder ??= this.device.createCommandEncoder()
    return this.encoder
  }

  /** Submits what has been encoded. */
  flush(): void {
    if (!this.encoder) return
    const commands = this.commands().finish()
    this.encoder = undefined
    this.device.queue.writeBuffer(this.uniforms, 0, this.uniformData, 0, this.uniformSlot * UNIFORM_STRIDE)
    this.uniformSlot = 0
    this.device.queue.submit([commands])
  }

  /** Submits and waits until the device has finished; rejects on loss or a reported error. */
  async idle(): Promise<void> {
    this.flush()
    await raceEnd(this.device.queue.onSubmittedWorkDone(), this.end).catch(() => undefined)
    this.check()
  }

  /** Bytes of a buffer, after all encoded work. */
  async readBytes(buffer: GPUBuffer, byteLength: number, offset = 0): Promise<ArrayBuffer> {
    this.check()
    const size = Math.ceil(byteLength / 4) * 4
    const staging = this.device.createBuffer({ size: Math.max(4, size), usage: 0x1 | 0x8 })
    if (size > 0) this.copy(buffer, staging, size, offset)
    this.flush()
    try {
      await raceEnd(staging.mapAsync(1), this.end)
    } catch (error) {
      this.check()
      throw new EngineError('gpu-failed', `read-back failed: ${String(error)}`)
    }
    const bytes = staging.getMappedRange().slice(0, byteLength)
    staging.destroy()
    this.check()
    return bytes
  }

  async readFloats(buffer: GPUBuffer, count: number, offset = 0): Promise<Float32Array> {
    return new Float32Array(await this.readBytes(buffer, count * 4, offset))
  }

  async readWords(buffer: GPUBuffer, count: number, offset = 0): Promise<Uint32Array> {
    return new Uint32Array(await this.readBytes(buffer, count * 4, offset))
  }

  /** Frees the device; later calls throw `device-lost`. */
  close(): void {
    this.encoder = undefined
    this.pass = undefined
    this.lostReason ??= 'closed'
    this.device.destroy()
  }
}
