// Probabilities of tokens against the float64 reference of the whole model; in one piece and in many.

import { afterAll, beforeAll, expect, it } from 'vitest'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import { TINY_CONFIGS, tinyModel } from '../../testing/tinyModels.ts'
import type { Gpu } from '../gpu/device.ts'
import { referenceForward } from '../model/decoder.reference.ts'
import { DeviceModel } from '../model/deviceModel.ts'
import { scoreTokens } from './tokenProbabilities.ts'

const IDS = [5, 9, 30, 2, 11, 7, 30, 1]
const FIRST = 3
// Of a probability near one, float32 logits leave some 1e-6 nats.
const BOUND = 1e-5

let gpu: Gpu
beforeAll(async () => {
  gpu = await openTestDevice()
})
afterAll(() => gpu?.close())

function softmax(row: number[]): number[] {
  const top = Math.max(...row)
  const weights = row.map((value) => Math.exp(value - top))
  const sum = weights.reduce((a, b) => a + b, 0)
  return weights.map((weight) => weight / sum)
}

/** Two models of one architecture: the second has its embedding moved. */
function pair(name: string) {
  const one = tinyModel(TINY_CONFIGS[name])
  const arrays = new Map(
    [...one.arrays].map(([tensor, values]) => [
      tensor,
      tensor.includes('mlp') ? values.map((value, i) => value * (1 + 0.4 * Math.sin(i))) : values,
    ]),
  )
  return [one, { ...one, arrays }]
}

it.each(['phi3, tied, odd vocabulary', 'llama, separate', 'gemma2'])(
  'log-probabilities, ranks, alternatives and divergence are the reference’s: %s',
  async (name) => {
    const pairOf = pair(name)
    const models = pairOf.map(({ config, arrays }) => DeviceModel.fromArrays(gpu, config, arrays))
    const V = pairOf[0].config.vocabSize
    const expected = pairOf.map(({ config, arrays }) => {
      const { logits } = referenceForward(config, arrays, IDS)
      return IDS.slice(FIRST).map((_, r) =>
        softmax(Array.from(logits.subarray((FIRST + r - 1) * V, (FIRST + r) * V))),
      )
    })
    const sequence = { ids: IDS, firstTarget: FIRST }
    const found = await scoreTokens(models, ['one', 'two'], sequence)
    expected.forEach((rows, m) => {
      expect(found[m].logProbabilities).toHaveLength(IDS.length - FIRST)
      rows.forEach((p, r) => {
        const target = IDS[FIRST + r]
        expect(Math.abs(found[m].logProbabilities[r] - Math.log(p[target]))).toBeLessThan(BOUND)
        expect(found[m].ranks[r]).toBe(1 + p.filter((other) => other > p[target]).length)
        const order = p.map((_, v) => v).sort((a, b) => p[b] - p[a])
        expect(found[m].alternatives[r].map(({ id }) => id)).toEqual(order.slice(0, 5))
        for (const { id, logProbability } of found[m].alternatives[r])
          expect(Math.abs(logProbability - Math.log(p[id]))).toBeLessThan(BOUND)
        const q = expected[0][r]
        const divergence = p.reduce((sum, share, v) => sum + share * Math.log(share / q[v]), 0)
        expect(Math.abs(found[m].divergences[r] - divergence)).toBeLessThan(BOUND)
      })
    })
    // Far enough apart for the divergence to say something.
    expect(Math.max(...found[1].divergences)).toBeGreaterThan(1e-3)
    const inPieces = await scoreTokens(models, ['one', 'two'], sequence, { pieceBytes: 2 * 4 * (V + 3) })
    expect(inPieces).toEqual(found)
    for (const model of models) model.dispose()
  },
)

it('a model whose weights are ruined is named, and nothing is kept', async () => {
  const { config, arrays } = tinyModel(TINY_CONFIGS['llama, separate'])
  const broken = new Map(arrays)
  broken.set(
    'model.norm.weight',
    arrays.get('model.norm.weight')!.map(() => Number.NaN),
  )
  const models = [arrays, broken].map((weights) => DeviceModel.fromArrays(gpu, config, weights))
  const sequence = { ids: IDS, firstTarget: FIRST }
  const before = gpu.pool.byteLength
  await expect(scoreTokens(models, ['one', 'two'], sequence)).rejects.toMatchObject({
    code: 'not-finite',
    message: expect.stringContaining('two, token 1 of 5'),
  })
  await expect(scoreTokens(models, ['one', 'two'], sequence)).rejects.toMatchObject({ code: 'not-finite' })
  const { signal } = { signal: AbortSignal.abort() }
  await expect(scoreTokens(models, ['one', 'two'], sequence, { signal })).rejects.toMatchObject({
    code: 'cancelled',
  })
  const after = gpu.pool.byteLength
  await expect(scoreTokens(models, ['one', 'two'], sequence)).rejects.toMatchObject({ code: 'not-finite' })
  // The first run may have asked for buffers; no later one does.
  expect(gpu.pool.byteLength).toBe(after)
  expect(after).toBeGreaterThanOrEqual(before)
  await expect(
    scoreTokens(models, ['one', 'two'], { ids: IDS, firstTarget: IDS.length }),
  ).rejects.toMatchObject({ code: 'request-invalid' })
  for (const model of models) model.dispose()
})
