import { beforeAll, describe, expect, it } from 'vitest'
import { manyProbes, probeFile, randomModel, tinyCodec } from '../../testing/answeringModels.ts'
import { expectFailure } from '../../testing/tinyCheckpoint.ts'
import { pooledRows } from '../geometry/alignmentRows.ts'
import { DeviceModel, paddedCount } from '../model/deviceModel.ts'
import { Random } from '../tensors/random.ts'
import { aqiGradientTerms, groupTopics } from './aqiGradient.ts'
import { type AqiItem, aqiItems, poolItems } from './aqiVectors.ts'
import { type ClassVectors, pairGram, separationOf } from './separation.ts'
import { fitStandardisation, type Standardisation, standardise } from './standardise.ts'

const item = (label: AqiItem['label'], topic: string): AqiItem => ({
  ids: [1],
  start: 0,
  end: 1,
  label,
  topic,
})
const repeat = (count: number, topic: string) => Array.from({ length: count }, () => item('unsafe', topic))

describe('groupTopics', () => {
  it('gives each topic its own group where there is room, and evens the groups where not', () => {
    const items = [
      ...repeat(20, 'b'),
      ...repeat(12, 'a'),
      ...repeat(9, 'c'),
      ...repeat(8, 'd'),
      item('safe', 'e'),
    ]
    expect(groupTopics(items, 9)).toEqual([['b'], ['a'], ['c'], ['d']])
    // 20 | 12 | 9 + 8
    expect(groupTopics(items, 3)).toEqual([['b'], ['a'], ['c', 'd']])
    expect(groupTopics(items, 1)).toEqual([['a', 'b', 'c', 'd']])
  })

  it('makes fewer groups rather than thin ones', async () => {
    const items = [...repeat(9, 'a'), ...repeat(4, 'b'), ...repeat(4, 'c')]
    expect(groupTopics(items, 3)).toEqual([['a'], ['b', 'c']])
    expect(groupTopics(repeat(3, 'a'), 3)).toEqual([['a']])
    expect(groupTopics([item('safe', 'a')], 3)).toEqual([])
    for (const wrong of [0, 1.5]) await expectFailure(() => groupTopics(items, wrong), 'request-invalid')
  })
})

describe('aqiGradientTerms', () => {
  let items: AqiItem[]
  let model: DeviceModel
  let vectors: ClassVectors
  let frame: Standardisation
  const groups = [['topic0', 'topic2'], ['topic1']]

  beforeAll(async () => {
    const codec = await tinyCodec()
    items = aqiItems(codec, 'completions', probeFile(manyProbes(24, 3)), { perClass: 24, seed: 1 })
    model = await randomModel(1, { num_hidden_layers: 2 })
    vectors = await poolItems(model, items)
    frame = fitStandardisation(vectors)
  })

  // The first group has 12 safe texts of its own; the second only 6, so all safe texts stand against it.
  async function logSeparation(at: DeviceModel, topics: string[], form: 'plain' | 'unbiased') {
    const isFirst = topics === groups[0]
    const own = items.filter(({ label, topic }) => topics.includes(topic) || (label === 'safe' && !isFirst))
    const separation = separationOf(pairGram(standardise(frame, await poolItems(at, own))))
    return Math.log(separation[form])
  }

  it.each(['plain', 'unbiased'] as const)('rows are the gradient of log S by group: %s', async (form) => {
    const terms = aqiGradientTerms(model.config, items, vectors, frame, groups, { form, batchSequences: 16 })
    const rows = await pooledRows(model, terms, groups.length)
    const { gpu } = model
    // Directional derivatives along the gradient itself and along a random direction.
    const gradients = new Map<string, Float32Array>()
    for (const [name, { count }] of model.tensors)
      gradients.set(name, await gpu.readFloats(rows.rows.get(name)!, 2 * paddedCount(count)))
    const random = new Random(5)
    for (const [z, topics] of groups.entries()) {
      const gradient = new Map(
        [...model.tensors].map(([name, { count }]) => {
          const at = z * paddedCount(count)
          return [name, gradients.get(name)!.slice(at, at + count)]
        }),
      )
      const noise = new Map([...model.tensors].map(([name, { count }]) => [name, random.normals(count)]))
      for (const direction of [gradient, noise]) {
        let norm = 0
        let slope = 0
        for (const [name, d] of direction)
          for (let i = 0; i < d.length; i++) {
            norm += d[i] ** 2
            slope += d[i] * gradient.get(name)![i]
          }
        const step = 0.01 / Math.sqrt(norm)
        const at = async (sign: number) => {
          const arrays = new Map<string, Float32Array>()
          for (const [name, d] of direction) {
            const values = await model.read(name)
            arrays.set(
              name,
              values.map((value, i) => value + sign * step * d[i]),
            )
          }
          const moved = DeviceModel.fromArrays(gpu, model.config, arrays)
          const value = await logSeparation(moved, topics, form)
          moved.dispose()
          return value
        }
        const measured = ((await at(1)) - (await at(-1))) / 0.02
        const analytic = slope / Math.sqrt(norm)
        const scale = Math.sqrt(
          [...gradient.values()].reduce((sum, g) => sum + g.reduce((s, x) => s + x * x, 0), 0),
        )
        // Central differences in float32: 1e-6 of rounding in log S over a step of 0.01, and the third order.
        expect(Math.abs(measured - analytic)).toBeLessThan(0.01 * scale)
      }
    }
  })

  it('holds the texts of its group, or all safe ones where the group has few', () => {
    const terms = aqiGradientTerms(model.config, items, vectors, frame, groups, { batchSequences: 16 })
    const perRow = groups.map((_, row) =>
      terms.filter((term) => term.row === row).flatMap((term) => term.sequences),
    )
    expect(perRow.map((sequences) => sequences.length)).toEqual([12 + 12, 24 + 6])
    expect(terms.every(({ sequences, dPooled }) => dPooled.length === sequences.length * vectors.width)).toBe(
      true,
    )
    expect(terms.every(({ sequences }) => sequences.length <= 16)).toBe(true)
  })

  it('refuses vectors of other items, lone texts, and S inside its noise', async () => {
    await expectFailure(
      () => aqiGradientTerms(model.config, items.slice(1), vectors, frame, groups),
      'shape-mismatch',
    )
    await expectFailure(
      () => aqiGradientTerms(model.config, items, vectors, frame, [['nowhere']]),
      'request-invalid',
    )
    const same = { ...vectors, unsafe: vectors.safe }
    await expectFailure(
      () =>
        aqiGradientTerms(model.config, items, same, fitStandardisation(same), groups, { form: 'unbiased' }),
      'request-invalid',
    )
  })
})
