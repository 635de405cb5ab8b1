// Inner products of model-sized rows, streamed over tensors: each tensor's products are summed in float32
// chunks on the device and added in float64 on the host, in a fixed order. All products of one tensor go out
// before one read-back.

import { throwIfCancelled } from '../errors.ts'
import type { Gpu } from '../gpu/device.ts'
import { weightedGram } from '../kernels/weightedGram/weightedGram.ts'

export interface RowSet {
  buffer: GPUBuffer
  rows: number
}

export interface GramRequest {
  /** what the sum is called, e.g. 'kernel' */
  label: string
  a: RowSet
  b: RowSet
  /** GRAM_PLAIN, GRAM_TIMES or GRAM_OVER */
  mode: number
  /** diagonal (count); unused with GRAM_PLAIN */
  weights?: GPUBuffer
}

/** (rowsA, rowsB) row-major sums by label; and the same of each tensor, in order. */
export interface GramSums {
  total: Map<string, Float64Array>
  byTensor: { name: string; products: Map<string, Float64Array> }[]
}

const MAX_CHUNKS = 16
const MIN_CHUNK = 512

/** A scratch buffer that lives for one tensor of a pass. */
export type TakeScratch = (byteLength: number) => GPUBuffer

/**
 * `requestsOf` gives the products of one tensor; what it takes is given back once they are read, and when the pass
 * fails or is cancelled. `count` is in whole fours and is the row stride.
 */
export async function sumGrams(
  gpu: Gpu,
  tensors: readonly { name: string; count: number }[],
  requestsOf: (name: string, count: number, take: TakeScratch) => GramRequest[],
  options: { signal?: AbortSignal | undefined; onTensor?: (done: number, total: number) => void } = {},
): Promise<GramSums> {
  const sums: GramSums = { total: new Map(), byTensor: [] }
  const scratch: GPUBuffer[] = []
  const take: TakeScratch = (byteLength) => {
    const buffer = gpu.pool.take(byteLength)
    scratch.push(buffer)
    return buffer
  }
  try {
    for (const [index, { name, count }] of tensors.entries()) {
      throwIfCancelled(options.signal)
      const products = await productsOf(gpu, count, requestsOf(name, count, take), take)
      gpu.pool.release(...scratch.splice(0))
      for (const [label, product] of products) {
        const total = sums.total.get(label) ?? new Float64Array(product.length)
        for (let j = 0; j < product.length; j++) total[j] += product[j]
        sums.total.set(label, total)
      }
      sums.byTensor.push({ name, products })
      options.onTensor?.(index + 1, tensors.length)
    }
    return sums
  } finally {
    gpu.pool.release(...scratch)
  }
}

/** The products of one tensor by label: partial sums of chunks, one read-back, added in float64. */
async function productsOf(
  gpu: Gpu,
  count: number,
  requests: readonly GramRequest[],
  take: TakeScratch,
): Promise<Map<string, Float64Array>> {
  const chunkSize = Math.max(MIN_CHUNK, Math.ceil(count / MAX_CHUNKS / 4) * 4)
  const chunks = Math.ceil(count / chunkSize)
  const offsets: number[] = []
  let byteLength = 0
  for (const { a, b } of requests) {
    offsets.push(byteLength)
    byteLength += Math.ceil((chunks * a.rows * b.rows * 4) / 256) * 256
  }
  const partials = take(byteLength)
  requests.forEach(({ a, b, mode, weights }, i) => {
    const partial = { buffer: partials, offset: offsets[i], size: chunks * a.rows * b.rows * 4 }
    gpu.run(
      weightedGram,
      { rowsA: a.rows, rowsB: b.rows, count, stride: count, chunkSize, chunks, mode },
      { a: a.buffer, b: b.buffer, w: weights ?? gpu.unused, partial },
    )
  })
  const values = await gpu.readFloats(partials, byteLength / 4)
  const products = new Map<string, Float64Array>()
  requests.forEach(({ label, a, b }, i) => {
    const product = new Float64Array(a.rows * b.rows)
    for (let chunk = 0; chunk < chunks; chunk++)
      for (let j = 0; j < product.length; j++)
        product[j] += values[offsets[i] / 4 + chunk * product.length + j]
    products.set(label, product)
  })
  return products
}
