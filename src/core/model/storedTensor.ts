// Stored weights to float32 on the device: what a kernel can decode is uploaded as it lies in the file and decoded
// there, in strips; the rest is decoded on the host. Knows encodings, not file formats.

import { throwIfCancelled } from '../errors.ts'
import { countOf, type StoredWeight } from '../files/storedWeight.ts'
import type { Gpu } from '../gpu/device.ts'
import { dequantize, dequantizeParams } from '../kernels/dequantize/dequantize.ts'
import { widen } from '../kernels/elementwise/elementwise.ts'
import { decodeValues, type EncodedValues, isBlockEncoding } from '../tensors/encoding.ts'

/** float32 bytes of a strip, unless one granule is larger. */
const STRIP_BYTES = 32 * 2 ** 20

/** Elements that are read at once: whole granules, four or more. */
export function stripElements(weight: StoredWeight, stripBytes = STRIP_BYTES): number {
  const granules = Math.max(1, Math.floor(stripBytes / 4 / weight.granule))
  // Kernels write whole fours, so strips but the last must end at one.
  return weight.granule * (weight.granule % 4 === 0 ? granules : Math.ceil(granules / 4) * 4)
}

/**
 * Elements [begin, begin + count) of `weight`, whole granules, as float32 into `out` from element 0 on; what lies
 * behind them in `out` stays. Rejects `request-invalid` for a range that cuts a granule, and what files reject.
 */
export async function uploadStored(
  gpu: Gpu,
  weight: StoredWeight,
  begin: number,
  count: number,
  out: GPUBuffer,
  signal?: AbortSignal,
  stripBytes = STRIP_BYTES,
): Promise<void> {
  const step = stripElements(weight, stripBytes)
  for (let done = 0; done < count; done += step) {
    throwIfCancelled(signal)
    const length = Math.min(step, count - done)
    uploadEncoded(gpu, await weight.read(begin + done, length, signal), length, out, done)
  }
}

/** A whole weight; `out` holds its elements. */
export const uploadWhole = (
  gpu: Gpu,
  weight: StoredWeight,
  out: GPUBuffer,
  signal?: AbortSignal,
): Promise<void> => uploadStored(gpu, weight, 0, countOf(weight), out, signal)

/** `count` elements that have been read, as float32 into `out` from element `outOffset` on. */
export function uploadEncoded(
  gpu: Gpu,
  values: EncodedValues,
  count: number,
  out: GPUBuffer,
  outOffset = 0,
): void {
  const { bytes, encoding } = values
  const onDevice = (use: (buffer: GPUBuffer) => void) => {
    const buffer = gpu.pool.take(bytes.byteLength)
    gpu.write(buffer, bytes)
    use(buffer)
    gpu.pool.release(buffer)
  }
  if (isBlockEncoding(encoding))
    onDevice((blocks) =>
      gpu.run(dequantize, dequantizeParams(encoding, count, 0, outOffset), { blocks, out }),
    )
  // Bindings begin at multiples of 256 bytes. Not float16: a device may flush its subnormals.
  else if (encoding === 'bf16' && count % 4 === 0 && outOffset % 64 === 0)
    onDevice((weight) => {
      const range = { buffer: out, offset: 4 * outOffset, size: 4 * count }
      gpu.run(widen, { count }, { weight, out: range }, 'bf16')
    })
  else gpu.write(out, decodeValues(values), 4 * outOffset)
}
