import { describe, expect, it } from 'vitest'
import { nodeGpu, refuseNull } from './nodeGpu.ts'

describe('WebGPU in Node', () => {
  it('is one instance, and navigator.gpu', async () => {
    expect(await nodeGpu()).toBe(await nodeGpu())
    expect(navigator.gpu).toBe(await nodeGpu())
  })

  it('refuses the null backend and an instance without adapters', async () => {
    const { create } = await import('webgpu')
    const refusal = { code: 'gpu-unavailable', message: expect.stringContaining('apt-get install') }
    await expect(refuseNull(create(['backend=null']) as unknown as GPU)).rejects.toMatchObject(refusal)
    await expect(refuseNull({ requestAdapter: async () => null } as unknown as GPU)).rejects.toMatchObject(
      refusal,
    )
  })

  // name, view, bytes per element, byte of the memory at which the view starts
  const sources: [string, (memory: ArrayBuffer) => BufferSource, number, number][] = [
    ['elements of a typed array', (memory) => new Uint16Array(memory, 4, 12), 2, 4],
    ['bytes of a DataView', (memory) => new DataView(memory, 4, 24), 1, 4],
    ['bytes of a whole buffer', (memory) => memory, 1, 0],
  ]
  for (const Memory of [ArrayBuffer, SharedArrayBuffer])
    it.each(sources)(`writes %s over ${Memory.name} as a browser does`, async (_name, view, unit, start) => {
      const adapter = await (await nodeGpu()).requestAdapter()
      const device = await adapter!.requestDevice()
      const memory = new Memory(32)
      new Uint8Array(memory).forEach((_, index, bytes) => {
        bytes[index] = index
      })
      const target = device.createBuffer({
        size: 16,
        usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC,
      })
      const copy = device.createBuffer({ size: 16, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ })
      device.queue.writeBuffer(target, 4, view(memory as ArrayBuffer), 4 / unit, 8 / unit)
      const encoder = device.createCommandEncoder()
      encoder.copyBufferToBuffer(target, 0, copy, 0, 16)
      device.queue.submit([encoder.finish()])
      await copy.mapAsync(GPUMapMode.READ)
      expect([...new Uint8Array(copy.getMappedRange())]).toEqual([
        ...[0, 0, 0, 0],
        ...Array.from({ length: 8 }, (_, index) => start + 4 + index),
        ...[0, 0, 0, 0],
      ])
      device.destroy()
    })
})
