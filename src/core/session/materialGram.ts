// Gram matrices of what enters each linear layer of a model, Σ_t x_t x_tᵀ over calibration sequences: a forward pass and
// one product XᵀX for each place that linear layers read from. Layers that read the same (query, key and value; gate and
// up) share one matrix. A head that is the embedding has none: it is merged as an embedding.

import { throwIfCancelled } from '../errors.ts'
import type { Gpu } from '../gpu/device.ts'
import { matmulBackwardWeight } from '../kernels/matmul/matmul.ts'
import { Batch, type Sequence } from '../model/batch.ts'
import { type DeviceModel, paddedCount } from '../model/deviceModel.ts'
import { forward, norm } from '../model/forward.ts'
import { FINAL_NORM } from '../model/head.ts'
import { gateUpParts, qkvParts } from '../model/linear.ts'

export interface InputGrams {
  /** Σ_t x xᵀ (in, in), float32, by the name of the weight (out, in); some are one buffer under several names */
  sums: Map<string, GPUBuffer>
  /** tokens summed over */
  tokens: number
}

export interface GramOptions {
  /** sequences per pass; the result does not depend on it beyond rounding */
  batchSequences?: number
  signal?: AbortSignal | undefined
  onProgress?: ((done: number, total: number) => void) | undefined
}

/** A place that linear layers read from: their weights, and the columns of their input. */
interface Site {
  weights: string[]
  width: number
}

/** The four places of every layer, in order of the pass, and the head's. */
function sitesOf(model: DeviceModel): { layers: Site[][]; head: Site | undefined } {
  const { hiddenSize: C, intermediateSize: I, headCount: H, headSize: D, layerCount, tied } = model.config
  const site = (names: string[], width: number) => ({ weights: names.map((name) => `${name}.weight`), width })
  const namesOf = (parts: readonly { name: string }[]) => parts.map(({ name }) => name)
  return {
    layers: Array.from({ length: layerCount }, (_, l) => [
      site(namesOf(qkvParts(model, l)), C),
      site([`model.layers.${l}.self_attn.o_proj`], H * D),
      site(namesOf(gateUpParts(model, l)), C),
      site([`model.layers.${l}.mlp.down_proj`], I),
    ]),
    head: tied ? undefined : site(['lm_head'], C),
  }
}

/** Streams the sequences through forward passes. Whatever stops it leaves nothing on the device. */
export async function inputGrams(
  model: DeviceModel,
  sequences: readonly Sequence[],
  options: GramOptions = {},
): Promise<InputGrams> {
  const { gpu, config } = model
  const { layers, head } = sitesOf(model)
  const sums = new Map<string, GPUBuffer>()
  const size = options.batchSequences ?? 32
  let tokens = 0
  try {
    for (const { weights, width } of [...layers.flat(), ...(head ? [head] : [])]) {
      const buffer = gpu.createBuffer(paddedCount(width * width) * 4, `Gram matrix of ${weights[0]}`)
      for (const name of weights) sums.set(name, buffer)
    }
    for (let start = 0; start < sequences.length; start += size) {
      throwIfCancelled(options.signal)
      const batch = new Batch(gpu, config, sequences.slice(start, start + size))
      try {
        const T = batch.tokenCount
        const space = {
          segments: batch.upload(Uint32Array.of(0, T)),
          groups: batch.upload(Uint32Array.of(0, 1)),
        }
        const add = ({ weights, width }: Site, x: GPUBuffer) => {
          addGram(gpu, width, x, space, sums.get(weights[0])!)
        }
        const pass = forward(model, batch, { keep: true })
        pass.layers.forEach((a, l) => {
          const [attention, output, mlp, down] = layers[l]
          add(attention, a.attentionInput)
          add(output, a.mixed)
          add(mlp, a.mlpInput)
          add(down, a.activated)
        })
        if (head) {
          const normed = norm(model, FINAL_NORM, T, pass.stream)
          add(head, normed.y)
          gpu.pool.release(normed.y, normed.inverseRms)
        }
        pass.release()
        await gpu.idle()
        tokens += T
      } finally {
        batch.release()
      }
      options.onProgress?.(Math.min(start + size, sequences.length), sequences.length)
    }
    return { sums, tokens }
  } catch (error) {
    destroyGrams(gpu, sums)
    throw error
  }
}

function addGram(
  gpu: Gpu,
  width: number,
  x: GPUBuffer,
  space: { segments: GPUBuffer; groups: GPUBuffer },
  out: GPUBuffer,
): void {
  gpu.run(
    matmulBackwardWeight,
    {
      N: width,
      K: width,
      Z: 1,
      xStride: width,
      xOffset: 0,
      dyStride: width,
      dyOffset: 0,
      power: 1,
      accumulate: 1,
      outRow: 0,
      outStride: paddedCount(width * width),
    },
    { dy: x, x, ...space, dWeight: out },
  )
}

/** Frees the matrices, each once. */
export function destroyGrams(gpu: Gpu, sums: InputGrams['sums']): void {
  if (gpu.lostReason === undefined) gpu.flush()
  for (const buffer of new Set(sums.values())) buffer.destroy()
}
