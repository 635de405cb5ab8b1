// A model that can only be run forward, whoever computes it: onnxruntime on a quantised checkpoint, say. All that AQI,
// behaviour, objectives and forward-only repairs need; a DeviceModel gives the same and more. Types alone, but for
// the test of which of the two a model is.

import type { ModelConfig } from '../model/config.ts'
import type { ChooseToken } from '../model/generate.ts'

export interface ForwardSequence {
  ids: ArrayLike<number>
  /** targets are ids[firstTarget …], each predicted from the token before; ≥ 1 */
  firstTarget?: number
}

/** Tokens start … end − 1 of a sequence. */
export interface HiddenSpan {
  ids: ArrayLike<number>
  start: number
  end: number
}

export interface ForwardGenerateOptions {
  maxNewTokens: number
  endTokens: readonly number[]
  /** absent: greedy */
  sampling?: { temperature: number; seed: number } | undefined
  /** in place of `sampling` */ choose?: ChooseToken | undefined
  signal?: AbortSignal | undefined
}

export interface ForwardModel {
  readonly kind: 'forward'
  readonly config: ModelConfig
  /** Residual streams after the given layers (1 … L), averaged over each span, end to end: (S, |layers|·C). */
  poolHidden(
    spans: readonly HiddenSpan[],
    layers: readonly number[],
    signal?: AbortSignal,
  ): Promise<Float32Array>
  /** Nats of every target of each sequence. */
  targetLosses(sequences: readonly ForwardSequence[], signal?: AbortSignal): Promise<Float64Array[]>
  /** New token ids of each prompt, the end token included when one came. */
  generate(prompts: readonly ArrayLike<number>[], options: ForwardGenerateOptions): Promise<number[][]>
}

/** Whether a model only runs forward. */
export const isForwardModel = (model: object): model is ForwardModel =>
  'kind' in model && model.kind === 'forward'
