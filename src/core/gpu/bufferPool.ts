// Scratch buffers that are used again: a training step asks for the same sizes every time, and creating a
// buffer costs more than a small dispatch. Work on one queue runs in order, so a buffer may be released as
// soon as its last use has been encoded. Contents are whatever was there before.

const STORAGE = 0x80 | 0x4 | 0x8

export class BufferPool {
  private readonly device: GPUDevice
  private readonly free = new Map<number, GPUBuffer[]>()
  private readonly inUse = new Set<GPUBuffer>()
  /** bytes held, free or in use */
  byteLength = 0

  constructor(device: GPUDevice) {
    this.device = device
  }

  /** A buffer of at least `byteLength` bytes, not cleared. */
  take(byteLength: number): GPUBuffer {
    const size = sizeClass(byteLength)
    const buffer = this.free.get(size)?.pop() ?? this.create(size)
    this.inUse.add(buffer)
    return buffer
  }

  private create(size: number): GPUBuffer {
    this.byteLength += size
    return this.device.createBuffer({ size, usage: STORAGE })
  }

  /** Gives buffers back; ones that are not the pool's own are ignored. */
  release(...buffers: (GPUBuffer | undefined)[]): void {
    for (const buffer of buffers) {
      if (!buffer || !this.inUse.delete(buffer)) continue
      const list = this.free.get(buffer.size)
      if (list) list.push(buffer)
      else this.free.set(buffer.size, [buffer])
    }
  }

  /** Destroys all free buffers. */
  trim(): void {
    for (const list of this.free.values())
      for (const buffer of list) {
        this.byteLength -= buffer.size
        buffer.destroy()
      }
    this.free.clear()
  }
}

/** Next of 8 steps per power of two, at least 1 KiB: at most an eighth is wasted and classes stay few. */
function sizeClass(byteLength: number): number {
  if (byteLength <= 1024) return 1024
  const step = 2 ** Math.max(8, Math.floor(Math.log2(byteLength - 1)) - 2)
  return Math.ceil(byteLength / step) * step
}
