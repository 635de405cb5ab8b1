// A decoder of any family as an ONNX graph for generation: S new tokens of each of B sequences after P cached ones,
// keys and values of all T = P + S handed on. Every weight is a graph input under its name, or an initialiser in
// files of its own. Reshapes whose targets depend on B and S take them as inputs from the host: a `Shape` node
// would be placed on the CPU and cost a copy.

import { EngineError } from '../../errors.ts'
import type { ModelConfig } from '../../model/config.ts'
import { listWeights } from '../../model/families/decoder.ts'
import type { WeightSpec } from '../../model/families/family.ts'
import { MICROSOFT, OnnxGraph } from './onnxWriter.ts'

/** Element type of weights, activations and cache. */
export type Precision = 'f32' | 'f16'

/**
 * How attention is written. `fused`: one GroupQueryAttention node, which turns, caches, masks and caps;
 * `explicit`: rotary embedding, products and softmax as nodes, masks from the host.
 */
export type AttentionForm = 'fused' | 'explicit'

export interface GenerationOptions {
  precision: Precision
  attention: AttentionForm
  /** where weights are: fed with each run, or read once from external files named like the tensors */
  weights: 'fed' | 'fixed'
  /** gives the residual stream after each layer, `hidden.0` (after the embedding) to `hidden.L`, (B·S,C) */
  hasHidden: boolean
}

/**
 * ONNX ModelProto. Inputs besides weights: `ids` int32 (B·S); `rows` int32 (R), the tokens whose logits are wanted;
 * `cos`, `sin` (rows,R/2); `past.k.l`, `past.v.l` (B,G,P,D) of each layer l; `joined` int64 (3) = B,S,-1. Fused:
 * `seqlens` int32 (B), keys of each sequence less one; `total` int32 (1), the most keys of any. Explicit: `positions`
 * int64 (B,S), rows of the rotary tables; `byHead` int64 (4) = B,S,-1,D; `grouped` int64 (5) = B,G,H/G,S,-1; `flat` int64 (4) =
 * B,G,(H/G)·S,-1; `mask.W` (B,1,1,S,T), added to scores, per window W of keys or `causal`.
 * Outputs: `logits` (R,V), `token` int64 (R), the first largest of each row; `present.k.l`, `present.v.l` (B,G,T,D).
 */
export interface GenerationGraph {
  bytes: Uint8Array<ArrayBuffer>
  weights: WeightSpec[]
  /** names of the masks, with the window of each; empty for fused attention */
  masks: Map<string, number>
}

export const EMBEDDING = 'model.embed_tokens.weight'

/** Writes the graph. `config-unsupported` where the fused form cannot compute the config: see `fusedObstacle`. */
export function buildGenerationGraph(config: ModelConfig, options: GenerationOptions): GenerationGraph {
  const obstacle = options.attention === 'fused' ? fusedObstacle(config) : undefined
  if (obstacle) throw new EngineError('config-unsupported', `fused attention: ${obstacle}`)
  return new Builder(config, options).build()
}

/**
 * Why onnxruntime 1.30's GroupQueryAttention cannot compute this config, or undefined where it can. Sizes it refuses by
 * itself; a cap of scores its WebGPU kernel leaves out without a word.
 */
export function fusedObstacle(config: ModelConfig): string | undefined {
  const { headSize, rotary, scoreCap } = config
  if (headSize % 16 !== 0) return `heads of ${headSize} dimensions, no multiple of 16`
  if (rotary.size % 16 !== 0) return `${rotary.size} rotated dimensions, no multiple of 16`
  if (scoreCap > 0) return `scores are capped at ${scoreCap}`
  return undefined
}

class Builder {
  readonly #config: ModelConfig
  readonly #options: GenerationOptions
  readonly #graph = new OnnxGraph()
  readonly #weights: WeightSpec[]
  readonly #masks = new Map<string, number>()
  readonly #type: 'float32' | 'float16'

  constructor(config: ModelConfig, options: GenerationOptions) {
    this.#config = config
    this.#options = options
    this.#weights = listWeights(config)
    this.#type = options.precision === 'f16' ? 'float16' : 'float32'
  }

  build(): GenerationGraph {
    const config = this.#config
    const graph = this.#graph
    this.#declareInputs()
    let stream = graph.node('Gather', [EMBEDDING, 'ids'], 'embedded', { axis: 0 })
    if (config.embeddingScale !== 1)
      stream = graph.node('Mul', [stream, this.#scalar(config.embeddingScale)], 'embedded.scaled')
    this.#showHidden(0, stream)
    const first = `model.layers.0.${config.norms.attention}`
    let normed = this.#norm(stream, first)
    for (let l = 0; l < config.layerCount; l++) {
      const next =
        l + 1 < config.layerCount ? `model.layers.${l + 1}.${config.norms.attention}` : 'model.norm'
      ;[normed, stream] = this.#layer(l, normed, stream, next)
      this.#showHidden(l + 1, stream)
    }
    this.#head(normed)
    return { bytes: graph.toModel('AlignMerge Studio'), weights: this.#weights, masks: this.#masks }
  }

  #declareInputs(): void {
    const { layerCount, kvHeadCount: G, headSize: D, rotary } = this.#config
    const graph = this.#graph
    const type = this.#type
    graph.input('ids', 'int32', ['N'])
    graph.input('rows', 'int32', ['R'])
    graph.input('cos', type, ['rows.rotary', rotary.size / 2])
    graph.input('sin', type, ['rows.rotary', rotary.size / 2])
    graph.input('joined', 'int64', [3])
    if (this.#options.attention === 'fused') {
      graph.input('seqlens', 'int32', ['B'])
      graph.input('total', 'int32', [1])
    } else {
      graph.input('positions', 'int64', ['B', 'S'])
      graph.input('byHead', 'int64', [4])
      graph.input('grouped', 'int64', [5])
      graph.input('flat', 'int64', [4])
      for (let l = 0; l < layerCount; l++)
        this.#masks.set(this.#maskName(l), this.#config.window(l) ?? Number.POSITIVE_INFINITY)
      for (const name of this.#masks.keys()) graph.input(name, type, ['B', 1, 1, 'S', 'T'])
    }
    for (const { name, shape } of this.#weights)
      if (this.#options.weights === 'fed') graph.input(name, type, shape)
      else graph.external(name, type, shape, name)
    for (let l = 0; l < layerCount; l++)
      for (const kind of ['k', 'v']) {
        graph.input(`past.${kind}.${l}`, type, ['B', G, 'P', D])
        graph.output(`present.${kind}.${l}`, type, ['B', G, 'T', D])
      }
  }

  #maskName(layer: number): string {
    return `mask.${this.#config.window(layer) ?? 'causal'}`
  }

  #scalar(value: number): string {
    return this.#graph.constant(this.#type, [value], [])
  }

  #showHidden(l: number, stream: string): void {
    if (!this.#options.hasHidden) return
    // A copy under the agreed name: the stream's own name is taken by the node that adds.
    this.#graph.node('Identity', [stream], `hidden.${l}`)
    this.#graph.output(`hidden.${l}`, this.#type, ['N', this.#config.hiddenSize])
  }

  /** One decoder block: the normed and the plain stream (N,C) → the same after it, normed by `next`. */
  #layer(l: number, normed: string, stream: string, next: string): [normed: string, stream: string] {
    const { norms, outputBias, mlpBias } = this.#config
    const prefix = `model.layers.${l}`
    const mixed = this.#attention(l, normed)
    let attended = this.#linear(mixed, `${prefix}.self_attn.o_proj`, outputBias)
    if (norms.attentionOutput) attended = this.#norm(attended, `${prefix}.${norms.attentionOutput}`)
    const [y, middle] = this.#addNorm(stream, attended, `${prefix}.${norms.mlp}`)
    let down = this.#linear(this.#gatedUnit(l, y), `${prefix}.mlp.down_proj`, mlpBias)
    if (norms.mlpOutput) down = this.#norm(down, `${prefix}.${norms.mlpOutput}`)
    return this.#addNorm(middle, down, next)
  }

  /** (N,C) → (N,I) */
  #gatedUnit(l: number, x: string): string {
    const { fused, intermediateSize: I, mlpBias, activation } = this.#config
    const prefix = `model.layers.${l}.mlp`
    const [gate, up] = fused
      ? this.#split(this.#linear(x, `${prefix}.gate_up_proj`, mlpBias), [I, I])
      : ['gate_proj', 'up_proj'].map((name) => this.#linear(x, `${prefix}.${name}`, mlpBias))
    const opened =
      activation === 'silu'
        ? this.#own('QuickGelu', [gate], `${prefix}.opened`, { alpha: { float: 1 } })
        : this.#own('FastGelu', [gate], `${prefix}.opened`)
    return this.#graph.node('Mul', [opened, up], `${prefix}.gated`)
  }

  /** (N,C) → (N,H·D); keys and values of the layer go to `present`. */
  #attention(l: number, x: string): string {
    const { headCount: H, kvHeadCount: G, headSize: D, fused, qkvBias } = this.#config
    const prefix = `model.layers.${l}.self_attn`
    const join = (name: string) => this.#graph.node('Reshape', [name, 'joined'], `${name}.joined`)
    if (fused && this.#options.attention === 'fused') {
      const qkv = join(this.#linear(x, `${prefix}.qkv_proj`, qkvBias))
      return this.#groupQuery(l, prefix, [qkv, '', ''])
    }
    const parts = fused
      ? this.#split(this.#linear(x, `${prefix}.qkv_proj`, qkvBias), [H * D, G * D, G * D])
      : ['q_proj', 'k_proj', 'v_proj'].map((name) => this.#linear(x, `${prefix}.${name}`, qkvBias))
    const joined = parts.map(join)
    return this.#options.attention === 'fused'
      ? this.#groupQuery(l, prefix, joined)
      : this.#explicitAttention(l, prefix, joined)
  }

  /** `qkv`: query, key and value (B,S,·), or all in the first. */
  #groupQuery(l: number, prefix: string, qkv: string[]): string {
    const { headCount: H, kvHeadCount: G, headSize: D, scoreScale } = this.#config
    const window = this.#config.window(l)
    const mixed = this.#own(
      'GroupQueryAttention',
      [...qkv, `past.k.${l}`, `past.v.${l}`, 'seqlens', 'total', 'cos', 'sin'],
      `${prefix}.mixed`,
      {
        num_heads: H,
        kv_num_heads: G,
        do_rotary: 1,
        scale: { float: scoreScale },
        ...(window === undefined ? {} : { local_window_size: window }),
      },
      [`present.k.${l}`, `present.v.${l}`],
    )
    return this.#flatten(mixed, H * D)
  }

  /**
   * Heads are laid out (B,G,H/G,S,D) and their first rows joined, so that the queries of a group meet their keys
   * (B,G,D,T) in one product and nothing is repeated.
   */
  #explicitAttention(l: number, prefix: string, [q, k, v]: string[]): string {
    const { headCount: H, kvHeadCount: G, headSize: D, scoreScale, scoreCap } = this.#config
    const graph = this.#graph
    const rows = (x: string) => {
      const split = graph.node('Reshape', [x, 'byHead'], `${x}.heads`)
      return graph.node('Transpose', [split], `${x}.byHead`, { perm: [0, 2, 1, 3] })
    }
    // Heads of one group follow one another, so (B,H,S,D) is (B,G,H/G·S,D) as it lies.
    const query = graph.node('Reshape', [rows(this.#rotary(q, H)), 'flat'], `${prefix}.query`)
    const cached = (kind: 'k' | 'v', x: string) =>
      graph.node('Concat', [`past.${kind}.${l}`, x], `present.${kind}.${l}`, { axis: 2 })
    const keys = cached('k', rows(this.#rotary(k, G)))
    const values = cached('v', rows(v))
    const scaled = graph.node('Mul', [query, this.#scalar(scoreScale)], `${prefix}.scaled`)
    const columns = graph.node('Transpose', [keys], `${prefix}.columns`, { perm: [0, 1, 3, 2] })
    let scores = graph.node('MatMul', [scaled, columns], `${prefix}.scores`)
    if (scoreCap > 0) scores = this.#cap(scores, scoreCap)
    const byQuery = graph.node('Reshape', [scores, 'grouped'], `${prefix}.byQuery`)
    const masked = graph.node('Add', [byQuery, this.#maskName(l)], `${prefix}.masked`)
    const shares = graph.node('Softmax', [masked], `${prefix}.shares`, { axis: -1 })
    const byGroup = graph.node('Reshape', [shares, 'flat'], `${prefix}.byGroup`)
    const mixed = graph.node('MatMul', [byGroup, values], `${prefix}.mixed`)
    const heads = graph.node('Reshape', [mixed, 'grouped'], `${prefix}.mixedHeads`)
    const byToken = graph.node('Transpose', [heads], `${prefix}.byToken`, { perm: [0, 3, 1, 2, 4] })
    return this.#flatten(byToken, H * D)
  }

  /** Turns x (B,S,heads·D) by the angles of `positions`; dimensions from R on pass through. */
  #rotary(x: string, heads: number): string {
    const { rotary, headSize } = this.#config
    const isPartial = rotary.size !== headSize
    return this.#own('RotaryEmbedding', [x, 'positions', 'cos', 'sin'], `${x}.turned`, {
      num_heads: heads,
      ...(isPartial ? { rotary_embedding_dim: rotary.size } : {}),
    })
  }

  #flatten(x: string, width: number): string {
    return this.#graph.node('Reshape', [x, this.#graph.constant('int64', [-1, width])], `${x}.flat`)
  }

  /** Logits of the chosen rows of the normed stream (N,C), and the first largest of each. */
  #head(normed: string): void {
    const { vocabSize: V, logitCap, tied } = this.#config
    const graph = this.#graph
    const rows = graph.node('Gather', [normed, 'rows'], 'head.rows', { axis: 0 })
    const weight = tied ? EMBEDDING : 'lm_head.weight'
    const plain = logitCap > 0 ? 'head.plain' : 'logits'
    graph.node('Gemm', [rows, weight], plain, { transB: 1 })
    if (logitCap > 0) this.#cap(plain, logitCap, 'logits')
    graph.output('logits', this.#type, ['R', V])
    graph.node('ArgMax', ['logits'], 'token', { axis: -1, keepdims: 0 })
    graph.output('token', 'int64', ['R'])
  }

  /** cap · tanh(x / cap) */
  #cap(x: string, cap: number, output = `${x}.capped`): string {
    const small = this.#graph.node('Mul', [x, this.#scalar(1 / cap)], `${x}.small`)
    const bounded = this.#graph.node('Tanh', [small], `${x}.bounded`)
    return this.#graph.node('Mul', [bounded, this.#scalar(cap)], output)
  }

  /** Splits the last axis of x into parts of the given sizes; returns their names. */
  #split(x: string, sizes: number[]): string[] {
    const names = sizes.map((_, i) => `${x}.part.${i}`)
    const [first, ...more] = names
    this.#graph.node('Split', [x, this.#graph.constant('int64', sizes)], first, { axis: -1 }, more)
    return names
  }

  /** x (N,in) · weightᵀ [out,in] + bias → (N,out) */
  #linear(x: string, name: string, hasBias: boolean): string {
    const inputs = hasBias ? [x, `${name}.weight`, `${name}.bias`] : [x, `${name}.weight`]
    return this.#graph.node('Gemm', inputs, `${name}.output`, { transB: 1 })
  }

  /** Name of the gain of norm `name`: the weight, or one more than it. */
  #gain(name: string): string {
    if (this.#config.gainOffset === 0) return `${name}.weight`
    return this.#graph.node('Add', [`${name}.weight`, this.#scalar(this.#config.gainOffset)], `${name}.gain`)
  }

  /** Root mean square norm; the operator is onnxruntime's own, listed under the default domain. */
  #norm(x: string, name: string): string {
    const attributes = { axis: -1, epsilon: { float: this.#config.normEpsilon }, stash_type: 1 }
    const inputs = [x, this.#gain(name)]
    return this.#graph.node('SimplifiedLayerNormalization', inputs, `${name}.output`, attributes)
  }

  /** The sum of two (N,C), normed by `name` and as it is. */
  #addNorm(x: string, y: string, name: string): [normed: string, sum: string] {
    const sum = `${name}.input`
    const normed = this.#own(
      'SkipSimplifiedLayerNormalization',
      [x, y, this.#gain(name)],
      `${name}.output`,
      { epsilon: { float: this.#config.normEpsilon } },
      ['', '', sum],
    )
    return [normed, sum]
  }

  #own(
    operator: string,
    inputs: readonly string[],
    output: string,
    attributes: Parameters<OnnxGraph['node']>[3] = {},
    more: readonly string[] = [],
  ): string {
    return this.#graph.node(operator, inputs, output, attributes, more, MICROSOFT)
  }
}
