// How fast this machine reads the sources and merges, from small samples: what a time that is told beforehand rests on.

import type { CheckpointFolder } from '../src/core/files/folder.ts'
import type { Gpu } from '../src/core/gpu/device.ts'
import { encodeWeightedSum } from '../src/core/merge/weightedSum.ts'

const ELEMENTS = 2 ** 21
/** A range of a weight file: large enough to say something, small enough to be asked of a hub. */
const SAMPLE_BYTES = 2 ** 19

/** Bytes a second, read and written, of an average of two bf16 models through the device. */
export async function mergeRate(gpu: Gpu): Promise<number> {
  const values = new Uint8Array(ELEMENTS * 2)
  const buffers = [0, 1, 2].map(() => gpu.createBuffer(values.byteLength, 'sample of the merge rate'))
  const [a, b, out] = buffers
  const once = async () => {
    gpu.write(a, values)
    gpu.write(b, values)
    encodeWeightedSum(
      {
        ...{ gpu, models: [a, b], out, type: 'bf16', name: '', shape: [ELEMENTS], parameters: {} },
        ...{ modelParameters: [], layerCount: 1, seed: 0, start: 0 },
        ...{ total: ELEMENTS, count: ELEMENTS, padded: ELEMENTS },
        material: () => undefined,
        scratch: (byteLength) => gpu.createBuffer(byteLength),
      },
      [0.5, 0.5],
    )
    await gpu.readBytes(out, values.byteLength)
  }
  try {
    // The first one compiles.
    await once()
    const begun = performance.now()
    await once()
    return (3 * values.byteLength) / ((performance.now() - begun) / 1000)
  } finally {
    for (const buffer of buffers) buffer.destroy()
  }
}

/** Bytes a second of the slowest folder; undefined where none has a file to sample. */
export async function readRate(folders: readonly CheckpointFolder[]): Promise<number | undefined> {
  const rates: number[] = []
  for (const folder of folders) {
    const path = folder.list().find((name) => /\.(safetensors|gguf|bin|onnx_data|onnx)$/.test(name))
    const source = path === undefined ? undefined : await folder.file(path)
    if (!source) continue
    const length = Math.min(SAMPLE_BYTES, source.size)
    const begun = performance.now()
    // From the end: the beginning has been fetched already.
    await source.read(source.size - length, length)
    rates.push(length / Math.max(1e-3, (performance.now() - begun) / 1000))
  }
  return rates.length > 0 ? Math.min(...rates) : undefined
}
