// The tensors of one input, sorted by layer. A layer's tensors begin with `model.layers.N.`; of the others, those
// with `embed` in their name come before the layers, all else after them.

import type { RecipeDtype } from './recipe.ts'

/** What is known of a model from its headers. */
export interface PlanInput {
  /** as printReference names it */
  name: string
  layerCount: number
  /** name → shape, in file order */
  tensors: ReadonlyMap<string, readonly number[]>
  dtype: RecipeDtype
}

export type Shapes = ReadonlyMap<string, readonly number[]>

const LAYER = /^model\.layers\.(\d{1,7})\.(.+)$/
/** Buffers that older exports wrote beside the weights; recomputed from the config. */
const BUFFERS = /(^|\.)rotary_emb\.inv_freq$/

export const layerTensor = (layer: number, rest: string): string => `model.layers.${layer}.${rest}`

export class InputTensors {
  readonly name: string
  readonly dtype: RecipeDtype
  readonly layerCount: number
  readonly before: Shapes
  readonly after: Shapes
  private readonly layers: Map<number, Map<string, readonly number[]>>

  constructor({ name, layerCount, tensors, dtype }: PlanInput) {
    this.name = name
    this.dtype = dtype
    this.layerCount = layerCount
    const before = new Map<string, readonly number[]>()
    const after = new Map<string, readonly number[]>()
    this.layers = new Map()
    for (const [tensor, shape] of tensors) {
      if (BUFFERS.test(tensor)) continue
      const match = LAYER.exec(tensor)
      if (match) {
        const layer = Number(match[1])
        const known = this.layers.get(layer)
        if (known) known.set(match[2], shape)
        else this.layers.set(layer, new Map([[match[2], shape]]))
      } else (tensor.includes('embed') ? before : after).set(tensor, shape)
    }
    this.before = before
    this.after = after
  }

  shapeOf(tensor: string): readonly number[] | undefined {
    const match = LAYER.exec(tensor)
    if (match) return this.layer(Number(match[1])).get(match[2])
    return this.before.get(tensor) ?? this.after.get(tensor)
  }

  /** Name inside the layer → shape; empty where there is no such layer. */
  layer(index: number): Shapes {
    return this.layers.get(index) ?? new Map()
  }
}
