// A decoder as Optimum exports it for transformers.js: norms and attention written out in plain operators, matrices
// under anonymous names that only their nodes explain, fused matrices as Hugging Face fuses them, positions as input.

import type { ModelConfig } from '../../core/model/config.ts'
import type { DecoderForm, Weights } from './genai.ts'
import { TestGraph } from './graph.ts'
import { addLinear } from './linear.ts'

export function optimumDecoder(config: ModelConfig, weights: Weights, form: DecoderForm) {
  const { hiddenSize: C, headCount: H, kvHeadCount: G, headSize: D, intermediateSize: I } = config
  const { layerCount: L, vocabSize: V } = config
  const graph = new TestGraph(form.external)
  graph.input('input_ids', 'int64', ['batch_size', 'sequence_length'])
  graph.input('attention_mask', 'int64', ['batch_size', 'past_sequence_length + 1'])
  graph.input('position_ids', 'int64', ['batch_size', 'sequence_length'])
  for (let l = 0; l < L; l++)
    for (const kind of ['key', 'value'])
      graph.input(`past_key_values.${l}.${kind}`, 'float32', ['batch_size', G, 'past_sequence_length', D])
  let anonymous = 100
  const value = (numbers: readonly number[], dims?: readonly number[]) =>
    graph.integers(`onnx::Constant_${anonymous++}`, numbers, dims)
  const scalar = (number: number) => graph.floats(`onnx::Constant_${anonymous++}`, [], [number])
  const run = (operator: string, inputs: readonly string[], attributes = {}, name?: string) =>
    graph.node(operator, inputs, [`v${anonymous++}`], { attributes, ...(name && { name }) })
  const linear = (x: string, module: string, tensor: string, rows: number, columns: number) =>
    addLinear(graph, form, {
      x,
      node: `${module}/MatMul`,
      tensor: `onnx::MatMul_${anonymous++}`,
      values: weights(tensor),
      rows,
      columns,
      output: `${module}/MatMul_output_0`,
    })
  const norm = (x: string, module: string) => {
    const path = `/${module.replaceAll('.', '/').replaceAll('layers/', 'layers.')}`
    const square = run('Pow', [x, scalar(2)], {}, `${path}/Pow`)
    const mean = run('ReduceMean', [square, value([-1])], { keepdims: 1 }, `${path}/ReduceMean`)
    const root = run('Sqrt', [run('Add', [mean, scalar(config.normEpsilon)], {}, `${path}/Add`)])
    const inverse = run('Div', [scalar(1), root], {}, `${path}/Div`)
    const normed = run('Mul', [x, inverse], {}, `${path}/Mul`)
    const gain = graph.floats(`${module}.weight`, [C], weights(`${module}.weight`))
    return run('Mul', [gain, normed], {}, `${path}/Mul_1`)
  }

  const { cos, sin } = addRotary()
  const mask = addMask()
  const table = graph.floats('model.embed_tokens.weight', [V, C], weights('model.embed_tokens.weight'))
  let stream = run('Gather', [table, 'input_ids'], {}, '/model/embed_tokens/Gather')
  for (let l = 0; l < L; l++) {
    const attended = addAttention(l, norm(stream, `model.layers.${l}.input_layernorm`))
    stream = run('Add', [stream, attended], {}, `/model/layers.${l}/Add`)
    const mixed = addMlp(l, norm(stream, `model.layers.${l}.post_attention_layernorm`))
    stream = run('Add', [stream, mixed], {}, `/model/layers.${l}/Add_1`)
  }
  const head = config.tied ? 'model.embed_tokens.weight' : 'lm_head.weight'
  const logits = linear(norm(stream, 'model.norm'), '/lm_head', head, V, C)
  graph.node('Identity', [logits], ['logits'])
  graph.output('logits', 'float32', ['batch_size', 'sequence_length', V])
  for (let l = 0; l < L; l++)
    for (const kind of ['key', 'value'])
      graph.output(`present.${l}.${kind}`, 'float32', ['batch_size', G, 'total_sequence_length', D])
  return graph.finish()

  /** Angles of the positions (B,1,T,D), the half of a head twice; default scaling only. */
  function addRotary() {
    const half = config.rotary.size / 2
    const inverse = Array.from({ length: half }, (_, i) => config.rotary.theta ** (-i / half))
    const frequencies = graph.floats('model.rotary_emb.inv_freq', [1, 1, half], inverse)
    const places = run('Cast', [run('Unsqueeze', ['position_ids', value([2])])], { to: 1 })
    const angles = run('Mul', [places, frequencies])
    const both = run('Unsqueeze', [run('Concat', [angles, angles], { axis: -1 }), value([1])])
    return { cos: run('Cos', [both]), sin: run('Sin', [both]) }
  }

  /** (B,1,T,P+T), added to scores: keys after the query and masked ones are far below zero. */
  function addMask() {
    const shape = run('Shape', ['attention_mask'])
    const total = run('Gather', [shape, value([1], [])], { axis: 0 })
    const keys = run('Range', [value([0], []), total, value([1], [])])
    const queries = run('Unsqueeze', ['position_ids', value([1, 3])])
    const isSeen = run('LessOrEqual', [keys, queries])
    const isReal = run('Cast', [run('Unsqueeze', ['attention_mask', value([1, 2])])], { to: 9 })
    return run('Where', [run('And', [isSeen, isReal]), scalar(0), scalar(-1e9)])
  }

  function addAttention(l: number, x: string): string {
    const path = `/model/layers.${l}/self_attn`
    const name = `model.layers.${l}.self_attn`
    let parts: string[]
    if (config.fused) {
      const fused = linear(x, `${path}/qkv_proj`, `${name}.qkv_proj.weight`, (H + 2 * G) * D, C)
      parts = ['q', 'k', 'v'].map((kind) => `${path}/${kind}`)
      graph.node('Split', [fused, value([H * D, G * D, G * D])], parts, { attributes: { axis: -1 } })
    } else
      parts = (
        [
          ['q', H],
          ['k', G],
          ['v', G],
        ] as const
      ).map(([kind, count]) => {
        const projected = linear(x, `${path}/${kind}_proj`, `${name}.${kind}_proj.weight`, count * D, C)
        if (!config.qkvBias) return projected
        const bias = graph.floats(
          `${name}.${kind}_proj.bias`,
          [count * D],
          weights(`${name}.${kind}_proj.bias`),
        )
        return run('Add', [bias, projected], {}, `${path}/${kind}_proj/Add`)
      })
    const heads = (part: string, count: number) =>
      run('Transpose', [run('Reshape', [part, value([0, -1, count, D])])], { perm: [0, 2, 1, 3] })
    const turned = (part: string) => {
      const half = [`${part}.a`, `${part}.b`]
      graph.node('Split', [part, value([D / 2, D / 2])], half, { attributes: { axis: -1 } })
      const swapped = run('Concat', [run('Neg', [half[1]]), half[0]], { axis: -1 })
      return run('Add', [run('Mul', [part, cos]), run('Mul', [swapped, sin])])
    }
    const [q, k, v] = [turned(heads(parts[0], H)), turned(heads(parts[1], G)), heads(parts[2], G)]
    const grown = (kind: 'key' | 'value', own: string) =>
      graph.node('Concat', [`past_key_values.${l}.${kind}`, own], [`present.${l}.${kind}`], {
        attributes: { axis: -2 },
      })
    const repeated = (part: string) => {
      if (G === H) return part
      const wide = run('Unsqueeze', [part, value([2])])
      const copies = run('Concat', Array(H / G).fill(wide), { axis: 2 })
      return run('Reshape', [copies, value([0, H, -1, D])])
    }
    const keys = run('Transpose', [repeated(grown('key', k))], { perm: [0, 1, 3, 2] })
    const values = repeated(grown('value', v))
    const scores = run('Mul', [run('MatMul', [q, keys]), scalar(config.scoreScale)])
    const shares = run('Softmax', [run('Add', [scores, mask])], { axis: -1 })
    const mixed = run('Transpose', [run('MatMul', [shares, values])], { perm: [0, 2, 1, 3] })
    const flat = run('Reshape', [mixed, value([0, -1, H * D])])
    return linear(flat, `${path}/o_proj`, `${name}.o_proj.weight`, C, H * D)
  }

  function addMlp(l: number, x: string): string {
    const path = `/model/layers.${l}/mlp`
    const name = `model.layers.${l}.mlp`
    let halves: string[]
    if (config.fused) {
      halves = [`${path}/gate`, `${path}/up`]
      const fused = linear(x, `${path}/gate_up_proj`, `${name}.gate_up_proj.weight`, 2 * I, C)
      graph.node('Split', [fused, value([I, I])], halves, { attributes: { axis: -1 } })
    } else
      halves = ['gate', 'up'].map((kind) =>
        linear(x, `${path}/${kind}_proj`, `${name}.${kind}_proj.weight`, I, C),
      )
    const silu = run('Mul', [halves[0], run('Sigmoid', [halves[0]])])
    return linear(run('Mul', [silu, halves[1]]), `${path}/down_proj`, `${name}.down_proj.weight`, C, I)
  }
}
