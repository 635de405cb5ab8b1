// A model family: how its config.json and its tensor names map onto the engine. One folder per family beside
// this file; its family.ts exports `family` and is found by registry.ts.

import type { ConfigReader, ModelConfig } from '../config.ts'

export type TensorRole = 'embedding' | 'head' | 'matrix' | 'gain' | 'bias'

/** One weight as Hugging Face names it; matrices are [out, in]. */
export interface WeightSpec {
  name: string
  shape: number[]
  role: TensorRole
  /** undefined for embedding, final norm and head */
  layer?: number
}

export interface Family {
  /** `architectures[0]` of config.json */
  architecture: string
  /** `model_type` of config.json, and the folder's name */
  modelType: string
  /** `config-unsupported` names the first key that asks for what the engine does not compute */
  read(config: ConfigReader): ModelConfig
}
