// A decoder as onnxruntime-genai's model builder writes it: fused attention over a key-value cache with the rotary
// tables in the file, skip norms, q, k and v packed into one matrix (or not), gate and up apart.

import { encodeFloats } from '../../core/files/formats/onnx/slot.ts'
import type { ModelConfig } from '../../core/model/config.ts'
import { rotaryTables } from '../../core/model/rotary.ts'
import { TestGraph } from './graph.ts'
import { addLinear, type MatrixForm, quantise } from './linear.ts'

export interface DecoderForm extends MatrixForm {
  /** name of the data file; undefined: all in the model file */ external?: string | undefined
  /** default true: one qkv_proj */ isPacked?: boolean
  /** activations, cache, norms and scales in float16, as builds for the web have them */ isHalf?: boolean
  /** the embedding in 4-bit blocks, which the wasm provider cannot run; default float32 */ hasBlockEmbedding?: boolean
}

export type Weights = (name: string) => Float32Array

const MS = 'com.microsoft'

export function genaiDecoder(config: ModelConfig, weights: Weights, form: DecoderForm) {
  const { hiddenSize: C, headCount: H, kvHeadCount: G, headSize: D, intermediateSize: I } = config
  const { layerCount: L, vocabSize: V } = config
  const graph = new TestGraph(form.external)
  const float = form.isHalf ? 'float16' : 'float32'
  const floats = (name: string, dims: readonly number[], values: Float32Array) =>
    graph.tensor(name, float, dims, encodeFloats(values, form.isHalf ? 'f16' : 'f32'))
  graph.input('input_ids', 'int64', ['batch_size', 'sequence_length'])
  graph.input('attention_mask', 'int64', ['batch_size', 'total_sequence_length'])
  const cache = ['batch_size', G, 'past_sequence_length', D]
  for (let l = 0; l < L; l++)
    for (const kind of ['key', 'value']) graph.input(`past_key_values.${l}.${kind}`, float, cache)
  addMask(graph)
  const positions = Int32Array.from({ length: config.maxPositions }, (_, p) => p)
  const { cos, sin } = rotaryTables(
    config.rotary,
    positions,
    positions.map(() => config.maxPositions),
  )
  floats('cos_cache', [config.maxPositions, config.rotary.size / 2], cos)
  floats('sin_cache', [config.maxPositions, config.rotary.size / 2], sin)

  const linear = (x: string, module: string, values: Float32Array, rows: number, columns: number) =>
    addLinear(graph, form, {
      x,
      node: `/${module.replaceAll('.', '/').replaceAll('layers/', 'layers.')}/MatMul`,
      tensor: `${module}.MatMul.weight`,
      values,
      rows,
      columns,
      output: `/${module}/output_0`,
    })
  const part = (name: string, from: number, count: number, columns: number) =>
    weights(name).subarray(from * columns, (from + count) * columns)

  let stream = addEmbedding(graph, config, weights, form)
  let skip = ''
  const norm = (name: string, module: string) => {
    const gain = floats(`${module}.weight`, [C], weights(name))
    const attributes = { epsilon: { float: config.normEpsilon } }
    const output = `/${module}/output_0`
    if (!skip) {
      graph.node('SimplifiedLayerNormalization', [stream, gain], [output], {
        name: `/${module}/LayerNorm`,
        attributes: { ...attributes, axis: -1, stash_type: 1 },
      })
      return output
    }
    const isLast = module.endsWith('final_norm_layernorm')
    const sum = `/${module}/output_3`
    graph.node(
      'SkipSimplifiedLayerNormalization',
      [stream, skip, gain],
      isLast ? [output] : [output, '', '', sum],
      { name: `/${module}/SkipLayerNorm`, domain: MS, attributes },
    )
    stream = sum
    return output
  }
  for (let l = 0; l < L; l++) {
    const layer = `model.layers.${l}`
    const x = norm(`${layer}.input_layernorm.weight`, `${layer}.input_layernorm`)
    const rows = [H * D, G * D, G * D]
    const own = config.fused
      ? rows.map((count, i) =>
          part(`${layer}.self_attn.qkv_proj.weight`, i === 0 ? 0 : H * D + (i - 1) * G * D, count, C),
        )
      : ['q', 'k', 'v'].map((kind) => weights(`${layer}.self_attn.${kind}_proj.weight`))
    const qkv =
      form.isPacked === false
        ? ['q', 'k', 'v'].map((kind, i) => linear(x, `${layer}.attn.${kind}_proj`, own[i], rows[i], C))
        : [linear(x, `${layer}.attn.qkv_proj`, joined(own), (H + 2 * G) * D, C), '', '']
    const past = [`past_key_values.${l}.key`, `past_key_values.${l}.value`]
    const present = [`present.${l}.key`, `present.${l}.value`]
    const lengths = ['seqlens_k', 'total_seq_len', 'cos_cache', 'sin_cache']
    const attended = graph.node(
      'GroupQueryAttention',
      [...qkv, ...past, ...lengths],
      [`/${layer}/attn/output_0`, ...present],
      {
        name: `/${layer}/attn/GroupQueryAttention`,
        domain: MS,
        attributes: {
          num_heads: H,
          kv_num_heads: G,
          scale: { float: config.scoreScale },
          do_rotary: 1,
          rotary_interleaved: 0,
          local_window_size: config.window(l) ?? -1,
        },
      },
    )
    skip = linear(attended, `${layer}.attn.o_proj`, weights(`${layer}.self_attn.o_proj.weight`), C, H * D)
    const y = norm(`${layer}.post_attention_layernorm.weight`, `${layer}.post_attention_layernorm`)
    const [gateValues, upValues] = config.fused
      ? [part(`${layer}.mlp.gate_up_proj.weight`, 0, I, C), part(`${layer}.mlp.gate_up_proj.weight`, I, I, C)]
      : ['gate', 'up'].map((kind) => weights(`${layer}.mlp.${kind}_proj.weight`))
    const gate = linear(y, `${layer}.mlp.gate_proj`, gateValues, I, C)
    const up = linear(y, `${layer}.mlp.up_proj`, upValues, I, C)
    const open = graph.node('Sigmoid', [gate], [`/${layer}/mlp/sigmoid`])
    const act = graph.node('Mul', [gate, open], [`/${layer}/mlp/act`])
    const gated = graph.node('Mul', [act, up], [`/${layer}/mlp/gated`])
    skip = linear(gated, `${layer}.mlp.down_proj`, weights(`${layer}.mlp.down_proj.weight`), C, I)
  }
  const last = norm('model.norm.weight', `model.layers.${L}.final_norm_layernorm`)
  const head = config.tied ? 'model.embed_tokens.weight' : 'lm_head.weight'
  const logits = linear(last, 'lm_head', weights(head), V, C)
  graph.node('Identity', [logits], ['logits'])
  graph.output('logits', float, ['batch_size', 'sequence_length', V])
  const presentDims = ['batch_size', G, 'total_sequence_length', D]
  for (let l = 0; l < L; l++)
    for (const kind of ['key', 'value']) graph.output(`present.${l}.${kind}`, float, presentDims)
  return graph.finish()
}

/** Lengths of the sequences as the fused attention wants them. */
function addMask(graph: TestGraph): void {
  const one = graph.integers('/model/constants/1', [1])
  const first = graph.integers('/model/constants/index', [1], [])
  const sum = graph.node('ReduceSum', ['attention_mask', one], ['mask_sum'], { attributes: { keepdims: 0 } })
  const less = graph.node('Sub', [sum, one], ['mask_less'])
  graph.node('Cast', [less], ['seqlens_k'], { attributes: { to: 6 } })
  const shape = graph.node('Shape', ['attention_mask'], ['mask_shape'])
  const total = graph.node('Gather', [shape, first], ['mask_total'], { attributes: { axis: 0 } })
  graph.node('Cast', [total], ['total_seq_len'], { attributes: { to: 6 } })
}

function addEmbedding(graph: TestGraph, config: ModelConfig, weights: Weights, form: DecoderForm): string {
  const { hiddenSize: C, vocabSize: V } = config
  const values = weights('model.embed_tokens.weight')
  if (!form.hasBlockEmbedding) {
    const type = form.isHalf ? 'float16' : 'float32'
    const bytes = encodeFloats(values, form.isHalf ? 'f16' : 'f32')
    const table = graph.tensor('model.embed_tokens.weight', type, [V, C], bytes)
    return graph.node('Gather', [table, 'input_ids'], ['/model/embed_tokens/output_0'], {
      name: '/model/embed_tokens/Gather',
    })
  }
  const { codes, scales, form: blocks } = quantise(values, V, C, { storage: 4, blockSize: 32 })
  return graph.node(
    'GatherBlockQuantized',
    [
      graph.tensor('model_embed_tokens_weight_quant', 'uint8', [V, C / 2], codes),
      'input_ids',
      graph.floats('model_embed_tokens_weight_scales', [V, blocks.blocksPerRow], scales),
    ],
    ['/model/embed_tokens/output_0'],
    {
      name: '/model/embed_tokens/Gather_Quant',
      domain: MS,
      attributes: { bits: 4, block_size: 32, gather_axis: 0, quantize_axis: 1 },
    },
  )
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}
