// Counts what a piece of work leaves behind on a device: buffers made and not destroyed, scratch taken and not given
// back. For tests of cancelled and failed work.

import type { Gpu } from '../core/gpu/device.ts'

export interface LiveBuffers {
  /** buffers made since and not destroyed, by what they were made for */
  made(): string[]
  /** scratch taken since and not given back */
  taken(): number
  stop(): void
}

export function watchBuffers(gpu: Gpu): LiveBuffers {
  const create = gpu.createBuffer
  const live = new Map<GPUBuffer, string>()
  gpu.createBuffer = (byteLength, what) => {
    const buffer = create.call(gpu, byteLength, what)
    const destroy = buffer.destroy
    live.set(buffer, what ?? 'buffer')
    buffer.destroy = () => {
      live.delete(buffer)
      return destroy.call(buffer)
    }
    return buffer
  }
  const inUse = () => (gpu.pool as unknown as { inUse: Set<GPUBuffer> }).inUse.size
  const before = inUse()
  return {
    made: () => [...live.values()],
    taken: () => inUse() - before,
    stop: () => {
      gpu.createBuffer = create
    },
  }
}
