// ONNX files that contradict themselves or ask for what is not read, and spellings of one thing that protobuf allows.

import { describe, expect, it } from 'vitest'
import { onnxFolder } from '../../../../testing/onnx/folder.ts'
import { TestGraph } from '../../../../testing/onnx/graph.ts'
import { expectFailure, tinyConfig, tinyFiles } from '../../../../testing/tinyCheckpoint.ts'
import { openCheckpoint } from '../../checkpoint.ts'
import { memoryFolder } from '../../folder.ts'
import { MemorySource } from '../../source.ts'
import { moduleOf } from './names.ts'
import { openOnnx } from './openOnnx.ts'
import { readOnnxModel } from './proto.ts'
import { readRows } from './slot.ts'
import { WireWriter } from './wireWriter.ts'

const CONFIG = { ...tinyConfig(), hidden_size: 16, intermediate_size: 16, vocab_size: 104 }
const C = 16

const modelOf = (bytes: Uint8Array) => readOnnxModel(new MemorySource(bytes, 'model.onnx'))
const graphOf = (fill: (graph: WireWriter) => void): Uint8Array => {
  const graph = new WireWriter()
  fill(graph)
  return new WireWriter().int(1, 10).message(7, graph).finish()
}
const openGraph = (graph: TestGraph, files: Record<string, Uint8Array> = {}, config = CONFIG) => {
  const { model } = graph.finish()
  return openOnnx(memoryFolder('m', new Map(Object.entries({ 'model.onnx': model, ...files }))), config)
}

async function tinyModel(): Promise<Uint8Array> {
  const plain = await openCheckpoint(memoryFolder('plain', tinyFiles(CONFIG, 'f32')))
  const files = await onnxFolder(plain, { style: 'genai', storage: 4, blockSize: 16, zeros: 'packed' })
  return files.get('model.onnx') as Uint8Array
}

describe('bytes that are no ONNX', () => {
  it('are refused when cut off anywhere in a field', async () => {
    const bytes = await tinyModel()
    const ends = [1, 2, 5, 10, 20, 100, 1000, bytes.length - 30, bytes.length - 200]
    for (const end of ends)
      await expectFailure(modelOf(bytes.subarray(0, end)), 'file-malformed', { file: 'model.onnx' })
  })

  it('are refused with forged lengths and numbers without end', async () => {
    await expectFailure(modelOf(new Uint8Array(0)), 'file-malformed')
    await expectFailure(modelOf(Uint8Array.of(0x3a, 0xff, 0xff, 0xff, 0xff, 0x7f)), 'file-malformed', {
      offset: 0,
    })
    await expectFailure(modelOf(new Uint8Array(30).fill(0xff)), 'file-malformed')
    await expectFailure(modelOf(Uint8Array.of(0x03, 0x01)), 'file-malformed')
    await expectFailure(modelOf(Uint8Array.of(0x00, 0x01)), 'file-malformed')
    // A node whose attribute is longer than the node.
    const forged = graphOf((graph) => graph.data(1, Uint8Array.of(0x2a, 0x7f, 0)))
    await expectFailure(modelOf(forged), 'file-malformed', { offset: 6 })
  })

  it('are refused where graphs nest without end, and where names come twice', async () => {
    let inner = new TestGraph()
    for (let depth = 0; depth < 8; depth++) {
      const outer = new TestGraph()
      const held = inner
      outer.branch('If', (graph) => graph.branch('If', (g) => g.adopt(held)))
      inner = outer
    }
    expect((await expectFailure(modelOf(inner.finish().model), 'file-malformed')).message).toContain('nested')
    const twice = new TestGraph()
    twice.floats('w', [1], [1])
    twice.floats('w', [1], [2])
    await expectFailure(modelOf(twice.finish().model), 'file-malformed')
  })

  it('are refused with sizes no memory has', async () => {
    const huge = graphOf((graph) => graph.message(5, new WireWriter().int(1, -4).int(2, 1).text(8, 'w')))
    await expectFailure(modelOf(huge), 'file-malformed')
    const many = graphOf((graph) =>
      graph.message(
        5,
        new WireWriter()
          .int(1, 2 ** 40)
          .int(1, 2 ** 40)
          .int(2, 1)
          .text(8, 'w')
          .data(9, new Uint8Array(4)),
      ),
    )
    expect((await modelOf(many)).tensors.get('w')).toMatchObject({
      place: undefined,
      problem: expect.stringContaining('sizes'),
    })
  })
})

describe('data outside the file', () => {
  const external = (location: string, offset = 0) =>
    graphOf((graph) => {
      const tensor = new WireWriter().int(1, C).int(2, 1).text(8, 'model.norm.weight')
      for (const [key, value] of Object.entries({ location, offset: String(offset) }))
        tensor.message(13, new WireWriter().text(1, key).text(2, value))
      graph.message(5, tensor.int(14, 1))
    })
  const open = (bytes: Uint8Array) =>
    openOnnx(
      memoryFolder(
        'm',
        new Map([
          ['model.onnx', bytes],
          ['w.data', new Uint8Array(4 * C)],
        ]),
      ),
      CONFIG,
    )

  it('is read from beside the model alone', async () => {
    expect((await open(external('./w.data'))).data.map(({ path }) => path)).toEqual(['w.data'])
    for (const location of ['../w.data', '/w.data', 'a/../../w.data', 'C:\\w.data', 'a//w', '.'])
      await expectFailure(open(external(location)), 'file-malformed', { file: 'model.onnx' })
    await expectFailure(open(external('other.data')), 'file-missing', { file: 'other.data' })
    await expectFailure(open(external('w.data', 4)), 'file-malformed', { file: 'w.data' })
  })
})

describe('what is not read', () => {
  const codes = (graph: TestGraph, name: string) =>
    graph.tensor(name, 'uint8', [C, 1, 8], new Uint8Array(8 * C))

  it('is named with its reason: group indices, blocks that do not fit, computed zero points', async () => {
    const cases: [Record<string, number>, string[], string][] = [
      [{ K: C, N: C, block_size: 16 }, ['', 'g'], 'group index'],
      [{ K: C, N: C, block_size: 8 }, [], 'blocks of 8'],
      [{ K: C, N: C, block_size: 16, bits: 3 }, [], '3 bits'],
      [{ K: C, N: 2 * C, block_size: 16 }, [], 'expected 256'],
      [{ K: C, N: C, block_size: 16 }, ['computed'], 'zero points that are computed'],
      [{ K: C, N: C, block_size: 16 }, ['s'], 'zero points of float32'],
    ]
    for (const [attributes, more, reason] of cases) {
      const graph = new TestGraph()
      codes(graph, 'w')
      graph.floats('scales', [C], new Array(C).fill(1))
      graph.floats('s', [3], [1, 1, 1])
      graph.integers('g', [0])
      const name = '/model/layers.0/attn/o_proj/MatMul'
      graph.node('MatMulNBits', ['x', 'w', 'scales', ...more], ['y'], { name, attributes })
      const { found } = await openGraph(graph)
      expect(found.slots).toEqual([])
      expect(found.refused.get('model.layers.0.self_attn.o_proj.weight'), reason).toContain(reason)
      expect(found.unmapped.get('w')).toContain(reason)
    }
  })

  it('gives its reason when the checkpoint needs it', async () => {
    const files = tinyFiles(CONFIG, 'f32')
    files.delete('model.safetensors')
    const graph = new TestGraph()
    codes(graph, 'w')
    graph.node('MatMulNBits', ['x', 'w', '', '', 'g'], ['y'], {
      name: '/model/embed_tokens/MatMul',
      attributes: { K: C, N: C, block_size: 16 },
    })
    files.set('model.onnx', graph.finish().model)
    const failure = await expectFailure(openCheckpoint(memoryFolder('m', files)), 'file-unsupported', {
      tensor: 'model.embed_tokens.weight',
    })
    expect(failure.message).toContain('g_idx')
    files.delete('config.json')
    await expectFailure(openCheckpoint(memoryFolder('m', files)), 'file-missing', { file: 'config.json' })
  })

  it('are parts whose sizes do not add up', async () => {
    const graph = new TestGraph()
    for (const part of ['q', 'k', 'v']) {
      graph.floats(`${part}.w`, [C, C], new Array(C * C).fill(0))
      graph.node('MatMul', ['x', `${part}.w`], [part], { name: `/model/layers.0/attn/${part}_proj/MatMul` })
    }
    await expectFailure(openGraph(graph), 'shape-mismatch', {
      tensor: 'model.layers.0.self_attn.qkv_proj.weight',
    })
  })
})

describe('spellings', () => {
  const NORM = 'model.norm.weight'
  const gain = Array.from({ length: C }, (_, i) => i / 4)

  it('of values: raw, packed floats, a Constant node, a branch, behind Identity and Cast', async () => {
    const norm = (graph: TestGraph, input: string) =>
      graph.node('SimplifiedLayerNormalization', ['x', input], ['y'], { name: '/model/norm/LayerNorm' })
    const packed = new Uint8Array(Float32Array.from(gain).buffer)
    const fills: ((graph: TestGraph) => void)[] = [
      (graph) => norm(graph, graph.floats(NORM, [C], gain)),
      (graph) => norm(graph, graph.packedFloats(NORM, [C], packed)),
      (graph) => norm(graph, graph.constant('anonymous', [C], gain)),
      (graph) => graph.branch('If', (inner) => norm(inner, inner.floats(NORM, [C], gain)), '/model/If'),
      (graph) => {
        const weight = graph.floats('anonymous', [C], gain)
        const same = graph.node('Identity', [weight], ['same'])
        norm(graph, graph.node('Cast', [same], ['cast'], { attributes: { to: 1 } }))
      },
    ]
    for (const fill of fills) {
      const graph = new TestGraph()
      fill(graph)
      const { found, locate } = await openGraph(graph)
      expect(found.slots).toHaveLength(1)
      expect([...(await readRows(found.slots[0], locate, 0, C))]).toEqual(gain)
    }
  })

  it('of matrices: Gemm and MatMul, turned or not', async () => {
    const values = Array.from({ length: 3 * C }, (_, i) => i)
    const turned = Array.from({ length: 3 * C }, (_, i) => (i % 3) * C + Math.floor(i / 3))
    // A layer that the model does not have: of any size.
    const name = '/model/layers.9/mlp/down_proj/MatMul'
    const cases: [string, number[], number[], Record<string, number>, boolean][] = [
      ['Gemm', [3, C], values, { transB: 1 }, false],
      ['Gemm', [C, 3], turned, {}, false],
      ['MatMul', [C, 3], turned, {}, false],
      ['MatMul', [3, C], values, {}, true],
      ['FusedMatMul', [3, C], values, { transB: 1 }, false],
    ]
    for (const [operator, dims, content, attributes, isTurned] of cases) {
      const graph = new TestGraph()
      let weight = graph.floats('w', dims, content)
      if (isTurned) weight = graph.node('Transpose', [weight], ['t'], { attributes: { perm: [1, 0] } })
      graph.node(operator, ['x', weight], ['y'], { name, attributes })
      const { found, locate } = await openGraph(graph)
      const [slot] = found.slots
      expect([slot.module, slot.rows, slot.columns]).toEqual(['model.layers.9.mlp.down_proj', 3, C])
      expect([...(await readRows(slot, locate, 1, 2))]).toEqual(values.slice(C))
    }
  })

  it('of norms that add one: the fused operator holds the sum', async () => {
    const gemma = {
      ...CONFIG,
      architectures: ['Gemma2ForCausalLM'],
      model_type: 'gemma2',
      head_dim: 8,
      query_pre_attn_scalar: 8,
      hidden_activation: 'gelu_pytorch_tanh',
      sliding_window: 32,
    }
    const graph = new TestGraph()
    graph.floats('model.layers.2.final_norm_layernorm.weight', [C], gain)
    graph.node(
      'SkipSimplifiedLayerNormalization',
      ['x', 'skip', 'model.layers.2.final_norm_layernorm.weight'],
      ['y'],
      { domain: 'com.microsoft' },
    )
    const { found, locate } = await openGraph(graph, {}, gemma)
    expect(found.slots[0].module).toBe('model.norm')
    expect([...(await readRows(found.slots[0], locate, 0, C))]).toEqual(gain.map((value) => value - 1))
  })

  it.each([
    ['/model/layers.0/attn/q_proj/MatMul_Q4', 'model.layers.0.self_attn.q_proj'],
    ['model.layers.11.attn.qkv_proj.MatMul.weight_Q4', 'model.layers.11.self_attn.qkv_proj'],
    ['model_layers_3_mlp_gate_up_proj_MatMul_weight_quant', 'model.layers.3.mlp.gate_up_proj'],
    ['/model/layers.7/self_attn/o_proj/MatMul', 'model.layers.7.self_attn.o_proj'],
    ['model.layers.32.final_norm_layernorm.weight', 'model.norm'],
    ['/model/layers.1/post_attention_layernorm/SkipLayerNorm', 'model.layers.1.post_attention_layernorm'],
    ['model_embed_tokens_weight_quant', 'model.embed_tokens'],
    ['/lm_head/MatMul', 'lm_head'],
    ['model.norm.weight', 'model.norm'],
    ['/model/layers.0/attn/q_norm/Mul', undefined],
    ['/model/layers.0/self_attn/q_proj/lora_A/MatMul', undefined],
    ['/model/layers.0/Add', undefined],
    ['onnx::MatMul_123', undefined],
    ['/vision/layers.0/mlp/down_proj/MatMul', undefined],
  ])('of modules: %s is %s', (name, module) => {
    expect(moduleOf(name)).toBe(module)
  })
})
