import { afterAll, beforeAll, expect, it } from 'vitest'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import { expectFailure } from '../../testing/tinyCheckpoint.ts'
import { referenceLosses, TINY_CONFIGS, TINY_SEQUENCES, tinyModel } from '../../testing/tinyModels.ts'
import type { Gpu } from '../gpu/device.ts'
import { DeviceModel } from '../model/deviceModel.ts'
import { sequenceLosses } from './sequenceLosses.ts'

let gpu: Gpu
beforeAll(async () => {
  gpu = await openTestDevice()
})
afterAll(() => gpu?.close())

it('is the mean over each sequence of the float64 reference, over several batches', async () => {
  const { config, arrays } = tinyModel(TINY_CONFIGS['llama, separate'])
  const model = DeviceModel.fromArrays(gpu, config, arrays)
  const many = Array.from({ length: 150 }, (_, i) => TINY_SEQUENCES[i % 3])
  const seen: number[] = []
  const ours = await sequenceLosses(model, many, { onProgress: (done) => seen.push(done) })
  const truth = TINY_SEQUENCES.map((sequence) => {
    const losses = referenceLosses(config, arrays, sequence)
    return losses.reduce((sum, loss) => sum + loss, 0) / losses.length
  })
  for (const [i, loss] of ours.entries()) expect(Math.abs(loss - truth[i % 3])).toBeLessThan(2e-5)
  expect(seen).toEqual([128, 150])
  expect(await sequenceLosses(model, [])).toEqual(new Float64Array())
  await expectFailure(sequenceLosses(model, [{ ids: [1, 2] }]), 'request-invalid')
  await expectFailure(sequenceLosses(model, many, { signal: AbortSignal.abort() }), 'cancelled')
  model.dispose()
})
