import { beforeAll, describe, expect, it } from 'vitest'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import { storedWeight } from '../../testing/storedWeights.ts'
import { expectFailure } from '../../testing/tinyCheckpoint.ts'
import { EngineError } from '../errors.ts'
import type { Gpu } from '../gpu/device.ts'
import { decodeWeights, encodeWeights, fromBf16, toBf16, type WeightType } from '../tensors/dtype.ts'
import { Random } from '../tensors/random.ts'
import { defineMethod } from './method.ts'
import { methodOf } from './methods/registry.ts'
import { type MergePlan, planMerge } from './recipe/plan.ts'
import { ZOO, zooInput } from './recipe/testMethods.ts'
import { readRecipeYaml } from './recipe/yaml.ts'
import { signatureOf } from './signatures.ts'
import { streamMerge, valuesOfPiece, wholeModels } from './streamMerge.ts'

let gpu: Gpu
beforeAll(async () => {
  gpu = await openTestDevice()
})

const INPUTS = ZOO.map(({ name }) => zooInput(name, { hidden: 16, vocabulary: 13 }))

/** Seeded values of a tensor of a model. */
function valuesOf(model: string, tensor: string): Float32Array {
  const shape = INPUTS[0].tensors.get(tensor.replace(/layers\.\d+/, 'layers.0'))!
  const count = shape.reduce((a, b) => a * b, 1)
  const stream = [...`${model}/${tensor}`].reduce(
    (sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 2 ** 31,
    7,
  )
  return new Random(1, stream).normals(count, 1)
}

const readers = (
  change: (model: string, tensor: string, values: Float32Array) => Float32Array = (_, __, v) => v,
  type: WeightType = 'f32',
) =>
  new Map(
    INPUTS.map(({ name }) => [
      name,
      {
        stored: {
          get: (tensor: string) => storedWeight(tensor, change(name, tensor, valuesOf(name, tensor)), type),
        },
      },
    ]),
  )

function plan(text: string): MergePlan {
  const { recipe } = readRecipeYaml(text)
  return planMerge(recipe, INPUTS, [signatureOf(methodOf(recipe.method).declaration)])
}

async function run(
  made: MergePlan,
  more: Partial<Parameters<typeof streamMerge>[1]> = {},
  method = methodOf(made.method),
) {
  const merged = new Map<string, Float32Array>()
  await streamMerge(method, {
    gpu,
    plan: made,
    readers: readers(),
    write: ({ name, shape }, piece) => {
      const values = merged.get(name) ?? new Float32Array(shape.reduce((a, b) => a * b, 1))
      values.set(valuesOfPiece(piece), piece.start)
      merged.set(name, values)
    },
    ...more,
  })
  return merged
}

const LINEAR = `
models: [{model: task-sort}, {model: safety}]
merge_method: linear
parameters: {weight: [{filter: mlp, value: [0, 3]}, {value: 1}], normalize: false}
`

const farthest = (values: Float32Array, expected: (i: number) => number): number =>
  Math.max(...values.map((value, i) => Math.abs(value - expected(i))))

describe('streamMerge', () => {
  it('gives every tensor its own parameters, in the plan’s order', async () => {
    const made = plan(LINEAR)
    const merged = await run(made)
    expect([...merged.keys()]).toEqual(made.tensors.map(({ name }) => name))
    for (const [name, values] of merged) {
      const layer = /layers\.(\d)\.mlp/.exec(name)
      const weight = layer ? Number(layer[1]) : 1
      const [a, b] = [valuesOf('task-sort', name), valuesOf('safety', name)]
      expect(farthest(values, (i) => weight * (a[i] + b[i]))).toBeLessThan(1e-5)
    }
  })

  it('takes layers from where the plan says', async () => {
    const merged = await run(
      plan(`
slices:
- sources: [{model: anchor, layer_range: [2, 3]}, {model: safety, layer_range: [0, 1]}]
- sources: [{model: safety, layer_range: [1, 3]}, {model: anchor, layer_range: [0, 2]}]
merge_method: linear
parameters: {weight: 0.5}
`),
    )
    const rest = 'mlp.down_proj.weight'
    const [a, b] = [
      valuesOf('safety', `model.layers.2.${rest}`),
      valuesOf('anchor', `model.layers.1.${rest}`),
    ]
    const found = merged.get(`model.layers.2.${rest}`)!
    expect(farthest(found, (i) => (a[i] + b[i]) / 2)).toBeLessThan(1e-6)
    expect(merged.has(`model.layers.3.${rest}`)).toBe(false)
  })

  it('hands over the base, and rounds inputs to dtype alone', async () => {
    const text = 'models: [{model: safety}]\nmerge_method: slerp\nbase_model: anchor\nparameters: {t: 0}\n'
    const base = valuesOf('anchor', 'lm_head.weight')
    expect((await run(plan(text))).get('lm_head.weight')).toEqual(base)
    const rounded = (await run(plan(`${text}dtype: bfloat16`))).get('lm_head.weight')
    expect(rounded).toEqual(base.map((value) => fromBf16(toBf16(value))))
    const stored = (await run(plan(text), { readers: readers(undefined, 'f16') })).get('lm_head.weight')
    expect(stored).toEqual(decodeWeights(encodeWeights(base, 'f16'), 'f16'))
  })

  it('reads models of roles and other material beside the sources', async () => {
    const seen: string[] = []
    const probe = defineMethod({
      declaration: { ...methodOf('mergealign').declaration },
      async survey({ forEach }) {
        await forEach(({ name }) => {
          seen.push(`survey ${name}`)
        })
      },
      async merge({ name, gpu: device, count, material, out }) {
        const read = async (buffer: GPUBuffer | undefined) =>
          buffer ? [...(await device.readFloats(buffer, 1))] : []
        if (name === 'model.norm.weight')
          seen.push(
            JSON.stringify([
              await read(material('aligned')),
              await read(material('fisher', 0)),
              await read(material('fisher', 1)),
              await read(material('gram', 1)),
            ]),
          )
        device.write(out, new Float32Array(count))
      },
    })
    const made = plan(`
models: [{model: task-sort}, {model: safety}]
merge_method: mergealign
base_model: anchor
parameters: {weight: 1}
alignmerge: {models: {aligned: uncensored}}
`)
    await run(
      made,
      {
        extra: [{ kind: 'fisher', k: 1, read: async () => new Float32Array([7]) }],
        material: (kind, _, k, scratch) => {
          if (kind !== 'gram' || k !== 1) return undefined
          const buffer = scratch(16)
          gpu.write(buffer, new Float32Array([9]))
          return buffer
        },
      },
      probe,
    )
    const aligned = valuesOf('uncensored', 'model.norm.weight')[0]
    expect(seen.filter((line) => line.startsWith('survey'))).toHaveLength(made.tensors.length)
    expect(seen.at(-1)).toBe(JSON.stringify([[aligned], [], [7], [9]]))
  })

  it('names the tensor where numbers end', async () => {
    const bad = (model: string) =>
      readers((name, tensor, values) =>
        name === model && tensor === 'model.norm.weight' ? values.fill(Number.NaN, 3, 4) : values,
      )
    const failure = await expectFailure(run(plan(LINEAR), { readers: bad('safety') }), 'not-finite', {
      tensor: 'model.norm.weight',
    })
    expect(failure.message).toContain('a weight of safety is NaN at element 3')
    const large = readers((_, __, values) => values.fill(3e38))
    const overflow = await expectFailure(run(plan(LINEAR), { readers: large }), 'not-finite', {
      tensor: 'model.embed_tokens.weight',
    })
    expect(overflow.message).toContain('the merged weight is Infinity at element 0')
    const half = await expectFailure(run(plan(`${LINEAR}dtype: float16`), { readers: large }), 'not-finite')
    expect(half.message).toContain('a weight of task-sort in float16 is Infinity at element 0')
  })

  it('refuses a tensor of another size, stops when told, and leaves nothing on the device', async () => {
    const short = readers((model, tensor, values) =>
      model === 'safety' && tensor === 'lm_head.weight' ? values.slice(1) : values,
    )
    await expectFailure(run(plan(LINEAR), { readers: short }), 'shape-mismatch', { tensor: 'lm_head.weight' })
    const controller = new AbortController()
    const stopped = run(plan(LINEAR), {
      signal: controller.signal,
      onProgress: (done) => done === 3 && controller.abort(),
    })
    await expectFailure(stopped, 'cancelled')
    const before = gpu.pool.byteLength
    await run(plan(LINEAR))
    expect(gpu.pool.byteLength).toBe(before)
    await expect(run(plan(LINEAR), { readers: new Map() })).rejects.toThrow(
      new EngineError('request-invalid', 'model task-sort is not open'),
    )
  })
})

describe('wholeModels', () => {
  it('tells whole models from stacks', () => {
    expect(wholeModels(plan(LINEAR))).toEqual({ experts: ['task-sort', 'safety'], base: undefined })
    expect(
      wholeModels(
        plan('models: [{model: safety}]\nmerge_method: slerp\nbase_model: anchor\nparameters: {t: 0}'),
      ),
    ).toEqual({ experts: ['safety'], base: 'anchor' })
    const stack = (a: string, b: string) =>
      plan(`
slices:
- sources: [{model: ${a}, layer_range: [0, 2]}]
- sources: [{model: ${b}, layer_range: [2, 4]}]
merge_method: linear
parameters: {weight: 1}
`)
    expect(wholeModels(stack('anchor', 'anchor'))).toEqual({ experts: ['anchor'], base: undefined })
    expect(wholeModels(stack('anchor', 'safety'))).toBeUndefined()
    const shifted = plan(`
slices: [{sources: [{model: anchor, layer_range: [1, 4]}]}]
merge_method: linear
parameters: {weight: 1}
`)
    expect(wholeModels(shifted)).toBeUndefined()
  })
})
