// ONNX folders of made-up decoders: what is read against the weights they were written from, what is written against
// what was there.

import { describe, expect, it } from 'vitest'
import { type OnnxFolderForm, onnxFolder } from '../../../../testing/onnx/folder.ts'
import { TestGraph } from '../../../../testing/onnx/graph.ts'
import { concat, expectFailure, tinyConfig, tinyFiles } from '../../../../testing/tinyCheckpoint.ts'
import { relativeError } from '../../../../testing/tinyModels.ts'
import { fromF16, toF16 } from '../../../tensors/dtype.ts'
import { type Checkpoint, openCheckpoint } from '../../checkpoint.ts'
import { type CheckpointFolder, memoryFolder } from '../../folder.ts'
import { countOf, readElements } from '../../storedWeight.ts'
import { openOnnx } from './openOnnx.ts'
import { type FilePatch, OnnxRewriter } from './rewrite.ts'

const LLAMA = {
  ...tinyConfig(),
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  hidden_size: 32,
  intermediate_size: 48,
  num_attention_heads: 4,
  num_key_value_heads: 2,
}
const PHI3 = { ...LLAMA, architectures: ['Phi3ForCausalLM'], model_type: 'phi3' }
const QWEN2 = {
  ...LLAMA,
  architectures: ['Qwen2ForCausalLM'],
  model_type: 'qwen2',
  tie_word_embeddings: true,
}

const DATA = 'model.onnx.data'
const CASES: Record<string, [Record<string, unknown>, OnnxFolderForm]> = {
  'int4, Phi-3 as the builder splits and packs it': [
    PHI3,
    { style: 'genai', storage: 4, blockSize: 16, external: DATA },
  ],
  'int4 with zero points, Llama packed by the builder': [
    LLAMA,
    { style: 'genai', storage: 4, zeros: 'packed', blockSize: 16 },
  ],
  'int8 with float zero points': [
    LLAMA,
    { style: 'genai', storage: 8, zeros: 'float', isPacked: false, external: DATA },
  ],
  'int2, embedding in blocks': [
    PHI3,
    { style: 'genai', storage: 2, blockSize: 32, hasBlockEmbedding: true, external: DATA },
  ],
  'int4 with scales, norms and embedding in float16': [
    PHI3,
    { style: 'genai', storage: 4, blockSize: 16, zeros: 'packed', isHalf: true, external: DATA },
  ],
  'float32 transposed': [PHI3, { style: 'genai', storage: 'f32', external: DATA }],
  'float16 transposed, behind casts': [LLAMA, { style: 'genai', storage: 'f16' }],
  'int4 of Optimum, anonymous names, fused as Phi-3 is': [
    PHI3,
    {
      style: 'optimum',
      storage: 4,
      zeros: 'packed',
      external: 'model_q4.onnx_data',
      path: 'onnx/model_q4.onnx',
    },
  ],
  'float32 of Optimum with biases, tied head': [QWEN2, { style: 'optimum', storage: 'f32' }],
}

async function build(config: Record<string, unknown>, form: OnnxFolderForm, seed = 1) {
  const plain = await openCheckpoint(memoryFolder('plain', tinyFiles(config, 'f32', seed)))
  const files = await onnxFolder(plain, form)
  const folder = memoryFolder('onnx', files)
  return { plain, files, folder, checkpoint: await openCheckpoint(folder) }
}

const valuesOf = (checkpoint: Checkpoint, name: string) => readElements(checkpoint.stored.get(name)!)

async function contentOf(folder: CheckpointFolder): Promise<Map<string, Uint8Array>> {
  const content = new Map<string, Uint8Array>()
  for (const path of folder.list()) {
    const source = (await folder.file(path))!
    content.set(path, await source.read(0, source.size))
  }
  return content
}

/** The folder with patches put in. */
async function patched(folder: CheckpointFolder, patches: AsyncIterable<FilePatch>[]) {
  const content = await contentOf(folder)
  for (const some of patches)
    for await (const { path, offset, bytes } of some) {
      const file = content.get(path)!
      expect(offset + bytes.length).toBeLessThanOrEqual(file.length)
      file.set(bytes, offset)
    }
  return content
}

describe('an ONNX folder', () => {
  it.each(Object.entries(CASES))('%s: every weight is found and read', async (_, [config, form]) => {
    const { plain, checkpoint } = await build(config, form)
    expect(checkpoint.format).toBe('onnx')
    expect([...checkpoint.stored.keys()]).toEqual([...plain.stored.keys()])
    for (const { name, shape, role } of checkpoint.weights) {
      const [found, expected] = [await valuesOf(checkpoint, name), await valuesOf(plain, name)]
      const isPlain = shape.length === 1 || (role === 'embedding' && !form.hasBlockEmbedding)
      const error = relativeError(found, expected)
      const halves = Array.from(expected, (value) => fromF16(toF16(value)))
      if (isPlain && form.isHalf) expect([...found]).toEqual(halves)
      else if (isPlain || form.storage === 'f32') expect(error, name).toBe(0)
      else if (form.storage === 'f16') expect([...found]).toEqual(halves)
      else {
        // Normal values in blocks of 16 to 32: about 0.5 % at 8 bits, 8 % at 4, 45 % at 2.
        const bits = role === 'embedding' ? 4 : form.storage
        expect(error, name).toBeLessThan({ 8: 0.01, 4: 0.12, 2: 0.6 }[bits])
        expect(error, name).toBeGreaterThan({ 8: 0.001, 4: 0.03, 2: 0.2 }[bits])
      }
    }
  })

  it.each(Object.entries(CASES))('%s: ranges are parts of the whole', async (_, [config, form]) => {
    const { checkpoint } = await build(config, form)
    for (const weight of checkpoint.stored.values()) {
      const whole = await readElements(weight)
      const count = countOf(weight)
      for (const [begin, length] of [
        [0, 1],
        [Math.floor(count / 3), Math.floor(count / 2)],
        [count - 3, 3],
      ])
        expect(await readElements(weight, begin, length)).toEqual(whole.slice(begin, begin + length))
    }
  })

  it('tells the layout for people', async () => {
    const { checkpoint } = await build(...CASES['int4, Phi-3 as the builder splits and packs it'])
    expect(checkpoint.stored.get('model.layers.0.self_attn.qkv_proj.weight')?.storage).toBe(
      'int4, blocks of 16',
    )
    expect(checkpoint.stored.get('model.norm.weight')?.storage).toBe('F32')
    expect(checkpoint.files.map(({ source }) => source.name)).toEqual(['model.onnx', DATA])
    expect(checkpoint.notes).toEqual([])
  })

  it('names what of the graph is no weight of the family', async () => {
    const { files, folder } = await build(LLAMA, { style: 'genai', storage: 'f32' })
    const more = new TestGraph()
    more.floats('adapter.scales', [20], new Array(20).fill(1))
    more.node('Mul', ['logits', 'adapter.scales'], ['scaled'], { name: '/adapter/Mul' })
    files.set('model.onnx', concat([files.get('model.onnx') as Uint8Array, more.finish().model]))
    const { notes } = await openCheckpoint(folder)
    expect(notes.join()).toContain('adapter.scales (used by Mul /adapter/Mul)')
  })

  it('chooses among builds and says so', async () => {
    const { files } = await build(LLAMA, { style: 'genai', storage: 'f32', path: 'onnx/model_fp16.onnx' })
    files.set('onnx/model_bnb4.onnx', Uint8Array.of(1))
    const { notes } = await openCheckpoint(memoryFolder('two', files))
    expect(notes).toEqual(['read from onnx/model_fp16.onnx; the folder also holds onnx/model_bnb4.onnx'])
  })
})

describe('rewriting', () => {
  const write = async (form: (typeof CASES)[string], seed?: number) => {
    const { folder, checkpoint } = await build(...form)
    const onnx = await openOnnx(folder, checkpoint.rawConfig)
    const other = seed === undefined ? checkpoint : (await build(form[0], form[1], seed)).plain
    const rewriter = new OnnxRewriter(onnx)
    const merged = (name: string) => valuesOf(other, name)
    return { folder, checkpoint, onnx, rewriter, merged }
  }

  it.each(Object.entries(CASES))('%s: the same weights give the same bytes', async (_, form) => {
    const { folder, onnx, rewriter, merged } = await write(form)
    const patches: AsyncIterable<FilePatch>[] = []
    for (const name of onnx.weights.keys()) patches.push(rewriter.patches(name, await merged(name)))
    expect(await patched(folder, patches)).toEqual(await contentOf(folder))
    expect(rewriter.roundings).not.toHaveLength(0)
    for (const { relative, moved, name } of rewriter.roundings)
      expect([relative, moved], name).toEqual([0, 0])
  })

  it.each(Object.entries(CASES))('%s: other weights, by patches and front to back', async (_, form) => {
    const { folder, checkpoint, onnx, rewriter, merged } = await write(form, 7)
    const patches: AsyncIterable<FilePatch>[] = []
    for (const name of onnx.weights.keys()) patches.push(rewriter.patches(name, await merged(name)))
    const content = await patched(folder, patches)
    const again = new OnnxRewriter(onnx)
    for (const { path, byteLength, chunks } of again.entries(merged)) {
      const parts: Uint8Array[] = []
      for await (const chunk of chunks()) parts.push(chunk)
      expect(concat(parts)).toEqual(content.get(path))
      expect(byteLength).toBe(content.get(path)!.length)
    }
    const reopened = await openCheckpoint(memoryFolder('merged', content))
    const reported = new Map(rewriter.roundings.map((one) => [one.name, one]))
    for (const { name } of reopened.weights) {
      const [values, wanted] = [await valuesOf(reopened, name), await merged(name)]
      const parts = rewriter.roundings.filter((one) => one.name === name)
      if (parts.length === 1) {
        expect(reported.get(name)!.relative).toBeCloseTo(relativeError(values, wanted), 6)
        expect(reported.get(name)!.moved).toBeCloseTo(
          relativeError(await valuesOf(checkpoint, name), wanted),
          4,
        )
      }
      const worst = wanted.reduce((max, v, i) => Math.max(max, Math.abs(v - values[i])), 0)
      expect(Math.max(...parts.map(({ max }) => max))).toBeCloseTo(worst, 6)
    }
    // Patches and whole files count the same; a fused slot counts its parts.
    const byName = (a: { name: string; storage: string }, b: { name: string; storage: string }) =>
      `${a.name} ${a.storage}`.localeCompare(`${b.name} ${b.storage}`)
    expect(again.roundings.toSorted(byName).map(({ name }) => name)).toEqual(
      rewriter.roundings.toSorted(byName).map(({ name }) => name),
    )
  })

  it('writes the head of a tied model with its embedding', async () => {
    const { folder, onnx, rewriter, merged } = await write(
      CASES['float32 of Optimum with biases, tied head'],
      7,
    )
    const name = 'model.embed_tokens.weight'
    expect(onnx.notes.join()).toContain(`${name} is there 2 times`)
    const content = await patched(folder, [rewriter.patches(name, await merged(name))])
    const reopened = await openOnnx(memoryFolder('merged', content), JSON.parse(JSON.stringify(QWEN2)))
    const head = reopened.found.slots.find(({ module }) => module === 'lm_head')!
    if (head.layout.kind !== 'plain') throw new Error('expected a plain head')
    const { offset, length } = head.layout.tensor.place!
    const bytes = content.get('model.onnx')!.slice(offset, offset + length)
    const turned = new Float32Array(bytes.buffer)
    const values = await merged(name)
    // [in, out] in the file.
    expect(turned[1 * head.rows + 3]).toBe(values[3 * head.columns + 1])
    expect(rewriter.roundings.map((one) => one.name)).toEqual([name, name])
  })

  it('refuses other numbers of values, unknown weights and what a type cannot hold', async () => {
    const { rewriter, merged } = await write(CASES['float16 transposed, behind casts'])
    const drain = async (patches: AsyncIterable<FilePatch>) => {
      for await (const patch of patches) expect(patch.bytes.length).toBeGreaterThan(0)
    }
    const name = 'lm_head.weight'
    await expectFailure(drain(rewriter.patches(name, new Float32Array(3))), 'shape-mismatch', {
      tensor: name,
    })
    await expectFailure(drain(rewriter.patches('model.layers.9.x', new Float32Array(3))), 'file-missing')
    const huge = await merged(name)
    huge[5] = 1e6
    await expectFailure(drain(rewriter.patches(name, huge)), 'not-finite', { tensor: name })
  })
})
