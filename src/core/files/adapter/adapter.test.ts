import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { concat, expectFailure, packTensors, type RawTensor } from '../../../testing/tinyCheckpoint.ts'
import { encodeWeights } from '../../tensors/dtype.ts'
import { Random } from '../../tensors/random.ts'
import { type Checkpoint, openCheckpoint } from '../checkpoint.ts'
import { type CheckpointFolder, memoryFolder } from '../folder.ts'
import { weightsOfShards } from '../formats/safetensors/format.ts'
import { readSafetensorsHeader } from '../safetensors.ts'
import { MemorySource } from '../source.ts'
import { countOf, readElements } from '../storedWeight.ts'
import { applyAdapter } from './applyAdapter.ts'

const GOLDEN = join(import.meta.dirname, 'golden')
const bytesOf = async (path: string): Promise<Uint8Array> =>
  new Uint8Array(await readFile(join(GOLDEN, path)))

let configs: Record<string, Record<string, unknown>>
beforeAll(async () => {
  configs = JSON.parse(await readFile(join(GOLDEN, 'configs.json'), 'utf8'))
})

const openBase = async (name: string, change: Record<string, unknown> = {}): Promise<Checkpoint> =>
  openCheckpoint(
    memoryFolder(
      name,
      new Map<string, Uint8Array | string>([
        ['config.json', JSON.stringify({ ...configs[name], ...change })],
        ['model.safetensors', await bytesOf(`${name}.safetensors`)],
      ]),
    ),
  )

async function goldenFolder(name: string): Promise<CheckpointFolder> {
  const files = new Map<string, Uint8Array | string>()
  for (const file of await readdir(join(GOLDEN, name))) files.set(file, await bytesOf(`${name}/${file}`))
  return memoryFolder(name, files)
}

/** Largest difference, as a share of the largest value. */
function difference(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(found.length).toBe(expected.length)
  let [most, scale] = [0, 0]
  for (let i = 0; i < found.length; i++) {
    most = Math.max(most, Math.abs(found[i] - expected[i]))
    scale = Math.max(scale, Math.abs(expected[i]))
  }
  return most / scale
}

describe('adapters that PEFT wrote', () => {
  it.each(['phi3-patterns', 'phi3-dora', 'phi3-saved', 'llama-rslora', 'llama-regex', 'llama-layers'])(
    '%s gives the weights of PEFT’s own merge',
    async (name) => {
      const base = await openBase(name.split('-')[0])
      const adapted = await applyAdapter(base, await goldenFolder(name))
      const source = new MemorySource(await bytesOf(`${name}/merged.safetensors`), 'merged.safetensors')
      const { weights } = weightsOfShards([{ source, header: await readSafetensorsHeader(source) }])
      let changed = 0
      for (const { name: tensor } of base.weights) {
        const expected = await readElements(weights.get(tensor)!)
        const before = await readElements(base.stored.get(tensor)!)
        const found = await readElements(adapted.stored.get(tensor)!)
        // Both round: PEFT its products and sums to float32, we once at the end.
        expect(difference(found, expected), tensor).toBeLessThan(1e-6)
        if (difference(before, expected) > 1e-3) changed++
      }
      const expectedChanges = { 'phi3-saved': 4, 'llama-rslora': 14, 'llama-regex': 3, 'llama-layers': 2 }
      expect(changed).toBe(
        (expectedChanges as Record<string, number>)[name] ?? (name === 'phi3-dora' ? 6 : 4),
      )
      expect(adapted.name).toBe(`${base.name}+${name}`)
      expect(adapted.notes[0]).toMatch(/weights changed and \d replaced by the adapter/)
    },
  )

  it('reads any rows alone', async () => {
    const adapted = await applyAdapter(await openBase('phi3'), await goldenFolder('phi3-dora'))
    const weight = adapted.stored.get('model.layers.1.mlp.gate_up_proj.weight')!
    expect(weight.storage).toBe('F32 + DoRA rank 3')
    const all = await readElements(weight)
    for (let row = 0; row < 24; row += 5)
      expect(await readElements(weight, row * 8, 16)).toEqual(all.slice(row * 8, row * 8 + 16))
    await expectFailure(weight.read(4, 8), 'request-invalid')
  })

  it('scale multiplies what is added; nothing at 0', async () => {
    const base = await openBase('llama')
    const folder = await goldenFolder('llama-rslora')
    const [none, half, whole] = await Promise.all(
      [0, 0.5, 1].map((scale) => applyAdapter(base, folder, { scale })),
    )
    for (const { name } of base.weights) {
      const of = (checkpoint: Checkpoint) => readElements(checkpoint.stored.get(name)!)
      expect(await of(none)).toEqual(await of(base))
      const [w, h, f] = [await of(base), await of(half), await of(whole)]
      expect(
        difference(
          h,
          w.map((value, i) => (value + f[i]) / 2),
        ),
      ).toBeLessThan(1e-6)
    }
    await expectFailure(applyAdapter(base, folder, { scale: Number.NaN }), 'request-invalid')
  })
})

const f32 = (name: string, shape: number[], values: Float32Array): RawTensor => ({
  name: `base_model.model.${name}`,
  dtype: 'F32',
  shape,
  bytes: encodeWeights(values, 'f32'),
})

interface Made {
  tensors: RawTensor[]
  /** B·A, row-major */
  product: Float64Array
  magnitude: Float32Array
}

function module(
  name: string,
  [rows, columns]: [number, number],
  rank: number,
  random: Random,
  dora = false,
): Made {
  const a = random.normals(rank * columns)
  const b = random.normals(rows * rank)
  const magnitude = random.normals(rows).map((value) => Math.abs(value) + 0.5)
  const product = new Float64Array(rows * columns)
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++)
      for (let k = 0; k < rank; k++) product[i * columns + j] += b[i * rank + k] * a[k * columns + j]
  const tensors = [
    f32(`${name}.lora_A.weight`, [rank, columns], a),
    f32(`${name}.lora_B.weight`, [rows, rank], b),
    ...(dora ? [f32(`${name}.lora_magnitude_vector`, [rows], magnitude)] : []),
  ]
  return { tensors, product, magnitude }
}

const folderOf = (config: Record<string, unknown>, tensors: RawTensor[], name = 'made'): CheckpointFolder =>
  memoryFolder(
    name,
    new Map<string, Uint8Array | string>([
      ['adapter_config.json', JSON.stringify({ peft_type: 'LORA', r: 2, lora_alpha: 6, ...config })],
      ['adapter_model.safetensors', packTensors(tensors)],
    ]),
  )

/** W + s·BA, or with a magnitude its rows brought to that length, in float64. */
function dense(
  w: Float32Array,
  product: Float64Array,
  scale: number,
  columns: number,
  magnitude?: Float32Array,
) {
  const out = Float64Array.from(w, (value, i) => value + scale * product[i])
  if (magnitude)
    for (let i = 0; i < magnitude.length; i++) {
      const row = out.subarray(i * columns, (i + 1) * columns)
      const length = Math.hypot(...row)
      row.forEach((value, j) => {
        row[j] = (magnitude[i] * value) / length
      })
    }
  return out
}

describe('adapters of other layouts', () => {
  const AT = 'model.layers.0.'

  it.each([false, true])('separate projections onto fused ones, DoRA %s', async (isDora) => {
    const base = await openBase('phi3')
    const random = new Random(2)
    const q = module(`${AT}self_attn.q_proj`, [8, 8], 2, random, isDora)
    const v = module(`${AT}self_attn.v_proj`, [4, 8], 2, random, isDora)
    const up = module(`${AT}mlp.up_proj`, [12, 8], 2, random, isDora)
    const config = { target_modules: ['q_proj', 'v_proj', 'up_proj'], use_dora: isDora }
    const tensors = [q, v, up].flatMap((made) => made.tensors)
    const adapted = await applyAdapter(base, folderOf(config, tensors))
    const check = async (name: string, parts: [number, Made][]) => {
      const before = await readElements(base.stored.get(name)!)
      const expected = Float64Array.from(before)
      for (const [row, { product, magnitude }] of parts) {
        const slice = before.slice(row * 8, row * 8 + product.length)
        expected.set(dense(slice, product, 3, 8, isDora ? magnitude : undefined), row * 8)
      }
      const weight = adapted.stored.get(name)!
      expect(difference(await readElements(weight), expected)).toBeLessThan(1e-6)
      // A range that begins in one part and ends in another.
      expect(difference(await readElements(weight, 7 * 8, 7 * 8), expected.slice(56, 112))).toBeLessThan(1e-6)
    }
    await check(`${AT}self_attn.qkv_proj.weight`, [
      [0, q],
      [12, v],
    ])
    await check(`${AT}mlp.gate_up_proj.weight`, [[12, up]])
  })

  it.each([false, true])('fused projections onto separate ones, DoRA %s', async (isDora) => {
    const base = await openBase('llama')
    const made = module(`${AT}self_attn.qkv_proj`, [16, 8], 2, new Random(4), isDora)
    const config = { target_modules: ['qkv_proj'], use_dora: isDora, alpha_pattern: { qkv_proj: 1 } }
    const adapted = await applyAdapter(base, folderOf(config, made.tensors))
    let row = 0
    for (const [part, rows] of [
      ['q', 8],
      ['k', 4],
      ['v', 4],
    ] as const) {
      const name = `${AT}self_attn.${part}_proj.weight`
      const expected = dense(
        await readElements(base.stored.get(name)!),
        made.product.slice(row * 8, (row + rows) * 8),
        0.5,
        8,
        isDora ? made.magnitude.slice(row, row + rows) : undefined,
      )
      expect(difference(await readElements(adapted.stored.get(name)!), expected)).toBeLessThan(1e-6)
      row += rows
    }
  })

  it('one of several adapters in a file', async () => {
    const base = await openBase('llama')
    const rename = (tensors: RawTensor[], own: string) =>
      tensors.map((tensor) => ({ ...tensor, name: tensor.name.replace('.weight', `.${own}.weight`) }))
    const first = module('lm_head', [24, 8], 2, new Random(1))
    const second = module('lm_head', [24, 8], 2, new Random(2))
    const folder = folderOf({ target_modules: ['lm_head'] }, [
      ...rename(first.tensors, 'first'),
      ...rename(second.tensors, 'second'),
    ])
    const before = await readElements(base.stored.get('lm_head.weight')!)
    const adapted = await applyAdapter(base, folder, { adapterName: 'second' })
    const found = await readElements(adapted.stored.get('lm_head.weight')!)
    expect(difference(found, dense(before, second.product, 3, 8))).toBeLessThan(1e-6)
    const error = await expectFailure(applyAdapter(base, folder), 'request-invalid')
    expect(error.message).toContain('adapters first, second in one file')
    await expectFailure(applyAdapter(base, folder, { adapterName: 'third' }), 'request-invalid')
  })

  it('replaces whole weights, and biases are weights', async () => {
    const base = await openBase('llama')
    const gain = new Random(9).normals(8)
    const adapted = await applyAdapter(
      base,
      folderOf({ target_modules: [], modules_to_save: ['norm'] }, [f32('model.norm.weight', [8], gain)]),
    )
    expect(await readElements(adapted.stored.get('model.norm.weight')!)).toEqual(gain)
    expect(countOf(adapted.stored.get('lm_head.weight')!)).toBe(192)
  })
})

describe('what is refused, by name', () => {
  const one = () => module('lm_head', [24, 8], 2, new Random(1)).tensors

  it.each([
    ['peft_type', { peft_type: 'IA3' }],
    ['peft_type', { peft_type: 'ADALORA' }],
    ['init_lora_weights', { init_lora_weights: 'pissa' }],
    ['init_lora_weights', { init_lora_weights: 'pissa_niter_16' }],
    ['init_lora_weights', { init_lora_weights: 'olora' }],
    ['init_lora_weights', { init_lora_weights: 'corda' }],
    ['init_lora_weights', { init_lora_weights: 'loftq' }],
    ['layer_replication', { layer_replication: [[0, 2]] }],
    ['target_parameters', { target_parameters: ['mlp.experts'] }],
    ['trainable_token_indices', { trainable_token_indices: [1] }],
    ['lora_bias', { lora_bias: true }],
    ['use_qalora', { use_qalora: true }],
    ['use_something_new', { use_something_new: true }],
  ])('config %s %j', async (key, change) => {
    const error = await expectFailure(
      applyAdapter(await openBase('llama'), folderOf({ target_modules: ['lm_head'], ...change }, one())),
      'file-unsupported',
      { file: 'adapter_config.json' },
    )
    expect(error.message).toContain(`${key}: expected`)
  })

  it.each([
    ['r', { r: 0 }],
    ['r', { r: '8' }],
    ['lora_alpha', { lora_alpha: null }],
    ['use_dora', { use_dora: 'yes' }],
    ['target_modules', { target_modules: 7 }],
    ['rank_pattern', { rank_pattern: { lm_head: -1 } }],
    ['alpha_pattern', { alpha_pattern: { lm_head: 'x' } }],
    ['layers_to_transform', { layers_to_transform: ['a'] }],
    ['bias', { bias: 'some' }],
  ])('config that is malformed: %s %j', async (key, change) => {
    const error = await expectFailure(
      applyAdapter(await openBase('llama'), folderOf({ target_modules: ['lm_head'], ...change }, one())),
      'file-malformed',
    )
    expect(error.message).toContain(`${key}: expected`)
  })

  it('adapters of other models, ranks and modules', async () => {
    const base = await openBase('llama')
    const apply = (config: Record<string, unknown>, tensors: RawTensor[], on = base) =>
      applyAdapter(on, folderOf({ target_modules: 'all-linear', ...config }, tensors))
    const head = { target_modules: ['lm_head'] }
    const random = new Random(6)
    await expectFailure(apply(head, module('lm_head', [24, 9], 2, random).tensors), 'shape-mismatch', {
      tensor: 'lm_head',
    })
    await expectFailure(apply(head, module('lm_head', [24, 8], 3, random).tensors), 'file-malformed')
    await expectFailure(apply({}, one()), 'file-malformed')
    await expectFailure(
      apply({ target_modules: ['x'] }, module('a.x', [8, 8], 2, random).tensors),
      'shape-mismatch',
    )
    await expectFailure(apply({ ...head, exclude_modules: ['lm_head'] }, one()), 'file-malformed')
    await expectFailure(apply({ ...head, use_dora: true }, one()), 'file-malformed')
    await expectFailure(apply(head, one().slice(1)), 'file-malformed')
    await expectFailure(apply(head, []), 'file-malformed')
    await expectFailure(apply(head, [{ ...one()[0], name: 'lm_head.lora_A.weight' }]), 'file-unsupported')
    const zero = module('lm_head', [24, 8], 2, random, true)
    for (const tensor of zero.tensors.slice(0, 2)) tensor.bytes = new Uint8Array(tensor.bytes.length)
    const zeroed = { ...base, stored: new Map(base.stored) }
    const zeros = memoryFolder('x', new Map([['x', concat([new Uint8Array(24 * 8 * 4)])]]))
    const source = (await zeros.file('x'))!
    const { contiguousWeight } = await import('../storedWeight.ts')
    zeroed.stored.set(
      'lm_head.weight',
      contiguousWeight(source, { name: 'lm_head.weight', shape: [24, 8], encoding: 'f32', offset: 0 }),
    )
    const adapted = await apply({ ...head, use_dora: true }, zero.tensors, zeroed)
    await expectFailure(adapted.readWeight('lm_head.weight'), 'not-finite', { tensor: 'lm_head.weight' })
    const qkv = [
      ...module('model.layers.0.self_attn.qkv_proj', [16, 8], 2, random).tensors,
      ...module('model.layers.0.self_attn.v_proj', [4, 8], 2, random).tensors,
    ]
    await expectFailure(apply({}, qkv), 'file-malformed')
    await expectFailure(
      applyAdapter(
        base,
        memoryFolder('none', new Map([['adapter_config.json', '{"peft_type":"LORA","r":1,"lora_alpha":1}']])),
      ),
      'file-missing',
      { file: 'adapter_model.safetensors' },
    )
  })
})
