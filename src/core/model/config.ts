// What the engine needs to know of an architecture, read from a Hugging Face config.json.
// A family (families/<name>/family.ts) maps its own config keys and tensor names onto this.

import { EngineError } from '../errors.ts'

/** Raw config.json; keys are read with the checks of `ConfigReader`. */
export type RawConfig = Record<string, unknown>

export type RotaryScaling =
  | { kind: 'default' }
  | { kind: 'linear'; factor: number }
  | {
      kind: 'llama3'
      factor: number
      lowFrequencyFactor: number
      highFrequencyFactor: number
      originalMaxPositions: number
    }
  | {
      kind: 'longrope'
      shortFactor: number[]
      longFactor: number[]
      originalMaxPositions: number
      attentionFactor: number
    }
  | {
      kind: 'yarn'
      factor: number
      originalMaxPositions: number
      /** turns within the original positions above which a pair keeps its angle, and below which it is divided */
      betaFast: number
      betaSlow: number
      /** bounds of the ramp between the two in whole pairs */
      isTruncated: boolean
      attentionFactor: number
    }

/** Norm tensors of a layer, by the end of their name. */
export interface BlockNorms {
  attention: string
  mlp: string
  /** of what a block writes, before it is added to the residual stream */
  attentionOutput?: string
  mlpOutput?: string
}

export interface ModelConfig {
  family: string
  /** C */ hiddenSize: number
  /** I */ intermediateSize: number
  /** L */ layerCount: number
  /** H */ headCount: number
  /** G, key and value heads; H is a multiple of it */ kvHeadCount: number
  /** D */ headSize: number
  /** V, rows of the embedding */ vocabSize: number
  maxPositions: number
  normEpsilon: number
  norms: BlockNorms
  /** what is added to every norm's weight: 1 where weights are stored as distance from one */ gainOffset:
    | 0
    | 1
  /** factor of the embedding's output */ embeddingScale: number
  /** of the gate: x / (1 + e^-x), or x Φ(x) with Φ by tanh */ activation: 'silu' | 'gelu-tanh'
  /** factor of q · k */ scoreScale: number
  /** scores become cap · tanh(score / cap) before the mask; 0: none */ scoreCap: number
  /** the same of the logits; 0: none */ logitCap: number
  /** true: the head is the embedding */ tied: boolean
  qkvBias: boolean
  outputBias: boolean
  mlpBias: boolean
  /** one qkv_proj and one gate_up_proj tensor instead of three and two */ fused: boolean
  rotary: { theta: number /** R, rotated dims of each head, even */; size: number; scaling: RotaryScaling }
  /** keys that a query of layer l may see, its own included; undefined: all */
  window: (layer: number) => number | undefined
  endTokens: number[]
  beginToken: number | undefined
  raw: RawConfig
}

/** Reads typed values out of config.json; a wrong or missing one is `config-unsupported` with key and file. */
export class ConfigReader {
  readonly raw: RawConfig
  readonly file: string
  constructor(raw: RawConfig, file: string) {
    this.raw = raw
    this.file = file
  }
  fail(key: string, expected: string): never {
    const found = JSON.stringify(this.raw[key]) ?? 'nothing'
    throw new EngineError('config-unsupported', `config key ${key}: expected ${expected}, found ${found}`, {
      file: this.file,
    })
  }
  /** A positive whole number; `fallback` when the key is absent or null. */
  count(key: string, fallback?: number): number {
    const value = this.raw[key] ?? fallback
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > 2 ** 31)
      this.fail(key, 'a positive whole number')
    return value
  }
  number(key: string, fallback?: number): number {
    const value = this.raw[key] ?? fallback
    if (typeof value !== 'number' || !Number.isFinite(value)) this.fail(key, 'a number')
    return value
  }
  flag(key: string, fallback: boolean): boolean {
    const value = this.raw[key] ?? fallback
    if (typeof value !== 'boolean') this.fail(key, 'true or false')
    return value
  }
  numbers(key: string, length: number): number[] {
    const value = this.raw[key]
    if (
      !Array.isArray(value) ||
      value.length !== length ||
      !value.every((v) => typeof v === 'number' && v > 0)
    )
      this.fail(key, `${length} positive numbers`)
    return value as number[]
  }
  /** Refuses a key that asks for what the engine does not compute: absent, null and `computed` pass. */
  only(key: string, ...computed: (string | number | boolean)[]): void {
    const value = this.raw[key] ?? computed[0]
    if (!computed.some((allowed) => allowed === value)) this.fail(key, computed.join(' or '))
  }
  object(key: string): ConfigReader | undefined {
    const value = this.raw[key]
    if (value === undefined || value === null) return undefined
    if (typeof value !== 'object' || Array.isArray(value)) this.fail(key, 'an object')
    return new ConfigReader(value as RawConfig, this.file)
  }
  /** Token ids given as one number or a list. */
  tokens(key: string): number[] {
    const value = this.raw[key]
    if (value === undefined || value === null) return []
    const list = Array.isArray(value) ? value : [value]
    if (!list.every((v) => Number.isInteger(v) && v >= 0)) this.fail(key, 'token ids')
    return list as number[]
  }
}
