// A decoder of any family as an ONNX graph over one sequence of any length T, every weight a graph input.
// The rotary tables and the additive attention masks come from the host, so each rotary scaling and window is
// the same graph. Only operators that onnxruntime's WebGPU provider runs itself are used, and all reshapes
// have constant targets: a `Shape` node would be placed on the CPU and cost a copy.

import type { ModelConfig } from '../../model/config.ts'
import { listWeights } from '../../model/families/decoder.ts'
import type { WeightSpec } from '../../model/families/family.ts'
import { rotaryTables } from '../../model/rotary.ts'
import { OnnxGraph } from './onnxWriter.ts'

export interface DecoderGraph {
  /** ONNX ModelProto. Inputs: the weights under their names, `ids` int32 (T), `cos` and `sin` (T,R/2), masks (T,T). Output: `logits` (T,V) */
  bytes: Uint8Array<ArrayBuffer>
  weights: WeightSpec[]
}

/** What the host computes for one sequence. */
export interface SequenceInputs {
  /** (T) */ ids: Int32Array
  /** (T,R/2) */ cos: Float32Array
  /** (T,R/2) */ sin: Float32Array
  /** mask name → (T,T), added to the scores: 0 where query (row) may see key (column) */
  masks: Map<string, Float32Array>
}

/** Far below any score, yet finite: a sum with a score cannot overflow to -Infinity and its NaN. */
const HIDDEN = -1e30

/** Writes the graph; layers that share a window share a mask. */
export function buildDecoderGraph(config: ModelConfig): DecoderGraph {
  const { vocabSize: V, rotary } = config
  const graph = new OnnxGraph()
  const weights = listWeights(config)
  graph.input('ids', 'int32', ['T'])
  graph.input('cos', 'float32', ['T', rotary.size / 2])
  graph.input('sin', 'float32', ['T', rotary.size / 2])
  for (const name of maskWindows(config).keys()) graph.input(name, 'float32', ['T', 'T'])
  for (const { name, shape } of weights) graph.input(name, 'float32', shape)

  const embedding = 'model.embed_tokens.weight'
  let stream = graph.node('Gather', [embedding, 'ids'], 'embedded', { axis: 0 })
  if (config.embeddingScale !== 1) stream = addScale(graph, stream, config.embeddingScale)
  for (let layer = 0; layer < config.layerCount; layer++) stream = addLayer(graph, config, layer, stream)
  const normed = addNorm(graph, config, stream, 'model.norm')
  const head = config.tied ? embedding : 'lm_head.weight'
  const products = config.logitCap === 0 ? 'logits' : 'logits.products'
  graph.node('Gemm', [normed, head], products, { transB: 1 })
  if (config.logitCap !== 0) addSoftCap(graph, products, config.logitCap, 'logits')
  graph.output('logits', 'float32', ['T', V])
  return { bytes: graph.toModel('AlignMerge Studio'), weights }
}

/** Tables and masks of the sequence `ids` (T), positions 0 to T-1. */
export function prepareSequence(config: ModelConfig, ids: ArrayLike<number>): SequenceInputs {
  const length = ids.length
  const positions = Int32Array.from({ length }, (_, t) => t)
  const { cos, sin } = rotaryTables(config.rotary, positions, new Int32Array(length).fill(length))
  const masks = new Map<string, Float32Array>()
  for (const [name, window] of maskWindows(config)) {
    const mask = new Float32Array(length * length).fill(HIDDEN)
    for (let t = 0; t < length; t++)
      mask.fill(0, t * length + Math.max(0, t - window + 1), t * length + t + 1)
    masks.set(name, mask)
  }
  return { ids: Int32Array.from(ids), cos, sin, masks }
}

/** Mask name → keys seen, own included; one entry per distinct window of the layers. */
function maskWindows(config: ModelConfig): Map<string, number> {
  const windows = new Map<string, number>()
  for (let layer = 0; layer < config.layerCount; layer++)
    windows.set(maskName(config, layer), config.window(layer) ?? Number.POSITIVE_INFINITY)
  return windows
}

function maskName(config: ModelConfig, layer: number): string {
  return `mask.${config.window(layer) ?? 'causal'}`
}

/** One decoder block: stream (T,C) → name of the next stream (T,C). */
function addLayer(graph: OnnxGraph, config: ModelConfig, layer: number, stream: string): string {
  const { intermediateSize: I, headCount: H, kvHeadCount: G, headSize: D, norms } = config
  const prefix = `model.layers.${layer}`
  const attention = `${prefix}.self_attn`
  const mlp = `${prefix}.mlp`
  const x = addNorm(graph, config, stream, `${prefix}.${norms.attention}`)
  const [q, k, v] = config.fused
    ? addSplit(graph, addLinear(graph, x, `${attention}.qkv_proj`, config.qkvBias), [H * D, G * D, G * D])
    : ['q_proj', 'k_proj', 'v_proj'].map((name) =>
        addLinear(graph, x, `${attention}.${name}`, config.qkvBias),
      )
  const mixed = addAttention(graph, config, layer, attention, q, k, v)
  const attended = addLinear(graph, mixed, `${attention}.o_proj`, config.outputBias)
  const ofBlock = (output: string, norm?: string) =>
    norm ? addNorm(graph, config, output, `${prefix}.${norm}`) : output
  const middle = graph.node('Add', [stream, ofBlock(attended, norms.attentionOutput)], `${prefix}.middle`)

  const y = addNorm(graph, config, middle, `${prefix}.${norms.mlp}`)
  const [gate, up] = config.fused
    ? addSplit(graph, addLinear(graph, y, `${mlp}.gate_up_proj`, config.mlpBias), [I, I])
    : ['gate_proj', 'up_proj'].map((name) => addLinear(graph, y, `${mlp}.${name}`, config.mlpBias))
  const gated = graph.node('Mul', [addActivation(graph, config, gate), up], `${mlp}.gated`)
  const down = addLinear(graph, gated, `${mlp}.down_proj`, config.mlpBias)
  return graph.node('Add', [middle, ofBlock(down, norms.mlpOutput)], `${prefix}.end`)
}

/**
 * q (T,H·D), k and v (T,G·D) → (T,H·D). Heads are laid out (G,H/G,T,D) against keys (G,1,D,T): the product
 * broadcasts each key head over its group, so nothing is repeated.
 */
function addAttention(
  graph: OnnxGraph,
  config: ModelConfig,
  layer: number,
  prefix: string,
  q: string,
  k: string,
  v: string,
): string {
  const { headCount: H, kvHeadCount: G, headSize: D } = config
  const toHeads = (x: string, group: number) => {
    const target = graph.constant('int64', [-1, G, group, D])
    const split = graph.node('Reshape', [x, target], `${x}.heads`)
    return graph.node('Transpose', [split], `${x}.byHead`, { perm: [1, 2, 0, 3] })
  }
  const query = addRotary(graph, config, toHeads(q, H / G))
  const key = addRotary(graph, config, toHeads(k, 1))
  const value = toHeads(v, 1)
  const scaled = addScale(graph, query, config.scoreScale)
  const keyColumns = graph.node('Transpose', [key], `${prefix}.keyColumns`, { perm: [0, 1, 3, 2] })
  const products = graph.node('MatMul', [scaled, keyColumns], `${prefix}.scores`)
  const scores =
    config.scoreCap === 0 ? products : addSoftCap(graph, products, config.scoreCap, `${prefix}.capped`)
  const masked = graph.node('Add', [scores, maskName(config, layer)], `${prefix}.masked`)
  const shares = graph.node('Softmax', [masked], `${prefix}.shares`, { axis: -1 })
  const mixed = graph.node('MatMul', [shares, value], `${prefix}.mixed`)
  const byToken = graph.node('Transpose', [mixed], `${prefix}.byToken`, { perm: [2, 0, 1, 3] })
  return graph.node('Reshape', [byToken, graph.constant('int64', [-1, H * D])], `${prefix}.joined`)
}

/** Turns pairs (i, i + R/2) of the last axis of x (…,T,D); dimensions from R on pass through. */
function addRotary(graph: OnnxGraph, config: ModelConfig, x: string): string {
  const R = config.rotary.size
  const rest = config.headSize - R
  const parts = addSplit(graph, x, rest > 0 ? [R / 2, R / 2, rest] : [R / 2, R / 2])
  const [a, b] = parts
  const product = (half: string, table: string) => graph.node('Mul', [half, table], `${half}.${table}`)
  const first = graph.node('Sub', [product(a, 'cos'), product(b, 'sin')], `${x}.turned.0`)
  const second = graph.node('Add', [product(b, 'cos'), product(a, 'sin')], `${x}.turned.1`)
  return graph.node('Concat', [first, second, ...parts.slice(2)], `${x}.turned`, { axis: -1 })
}

/** Splits the last axis of x into parts of the given sizes; returns their names. */
function addSplit(graph: OnnxGraph, x: string, sizes: number[]): string[] {
  const names = sizes.map((_, i) => `${x}.part.${i}`)
  const [first, ...more] = names
  graph.node('Split', [x, graph.constant('int64', sizes)], first, { axis: -1 }, more)
  return names
}

/** x (T,in) · weightᵀ [out,in] + bias → (T,out) */
function addLinear(graph: OnnxGraph, x: string, name: string, hasBias: boolean): string {
  const inputs = hasBias ? [x, `${name}.weight`, `${name}.bias`] : [x, `${name}.weight`]
  return graph.node('Gemm', inputs, `${name}.output`, { transB: 1 })
}

/** x times a number */
function addScale(graph: OnnxGraph, x: string, factor: number): string {
  return graph.node('Mul', [x, graph.constant('float32', [factor], [])], `${x}.scaled`)
}

/** cap · tanh(x / cap) */
function addSoftCap(graph: OnnxGraph, x: string, cap: number, output: string): string {
  const limit = graph.constant('float32', [cap], [])
  const turned = graph.node('Tanh', [graph.node('Div', [x, limit], `${x}.ofCap`)], `${x}.tanh`)
  return graph.node('Mul', [turned, limit], output)
}

/** silu, or GELU by tanh as its definition has it, where ours uses the logistic function for both. */
function addActivation(graph: OnnxGraph, config: ModelConfig, gate: string): string {
  const node = (operator: string, inputs: string[], name: string) =>
    graph.node(operator, inputs, `${gate}.${name}`)
  if (config.activation === 'silu') return node('Mul', [gate, node('Sigmoid', [gate], 'sigmoid')], 'silu')
  const number = (value: number) => graph.constant('float32', [value], [])
  const cube = node('Mul', [node('Mul', [gate, gate], 'square'), gate], 'cube')
  const bent = node('Add', [gate, node('Mul', [cube, number(0.044715)], 'bend')], 'bent')
  const turned = node('Tanh', [node('Mul', [bent, number(Math.sqrt(2 / Math.PI))], 'inner')], 'tanh')
  const share = node('Mul', [node('Add', [turned, number(1)], 'plusOne'), number(0.5)], 'share')
  return node('Mul', [gate, share], 'gelu')
}

/** Root mean square norm; the operator is onnxruntime's own, listed under the default domain. */
function addNorm(graph: OnnxGraph, config: ModelConfig, x: string, name: string): string {
  const weight = `${name}.weight`
  const gain =
    config.gainOffset === 0
      ? weight
      : graph.node('Add', [weight, graph.constant('float32', [config.gainOffset], [])], `${name}.gain`)
  const attributes = { axis: -1, epsilon: { float: config.normEpsilon }, stash_type: 1 }
  return graph.node('SimplifiedLayerNormalization', [x, gain], `${name}.output`, attributes)
}
