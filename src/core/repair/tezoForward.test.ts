// TeZO through onnxruntime on an int4 build against our own on the same weights: one path in s, by two engines.

import { beforeAll, describe, expect, it } from 'vitest'
import { globals } from 'webgpu'
import { nodeGpu } from '../../cli/nodeGpu.ts'
import { nearCheckpoint } from '../../testing/nearCheckpoint.ts'
import { type OnnxFolderForm, onnxFolder } from '../../testing/onnx/folder.ts'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import { expectFailure } from '../../testing/tinyCheckpoint.ts'
import { REPAIR_PROBES } from '../../testing/tinyRepair.ts'
import { OrtCheckpointModel } from '../evaluate/ort/checkpointModel.ts'
import { loadOrtNode } from '../evaluate/ort/ortNode.ts'
import type { OrtModule } from '../evaluate/ort/ortSession.ts'
import { relativeError } from '../evaluate/ort/secondOpinion.ts'
import { openCheckpoint } from '../files/checkpoint.ts'
import { memoryFolder } from '../files/folder.ts'
import { openOnnx } from '../files/formats/onnx/openOnnx.ts'
import { readElements } from '../files/storedWeight.ts'
import { TextCodec } from '../files/tokenizer.ts'
import { Batch } from '../model/batch.ts'
import { DeviceModel } from '../model/deviceModel.ts'
import { allLogits } from '../model/gradients.ts'
import { Random } from '../tensors/random.ts'
import { drawFactors } from './lowRankModel.ts'
import { TEZO_DEFAULTS, tezoPolish } from './tezo.ts'
import { addMoves, tezoForward } from './tezoForward.ts'

const RANK = 4
const SEED = 1
const OPTIONS = {
  ...TEZO_DEFAULTS,
  rank: RANK,
  steps: 12,
  // Far enough apart that float32 losses leave the slope some digits.
  perturbation: 1e-2,
  // Small steps: with large ones the two walks part by their rounding.
  rate: 0.03,
  momentum: 0,
  batchPairs: 6,
  checkEvery: 6,
  seed: SEED,
}

let ort: OrtModule
beforeAll(async () => {
  ort = await loadOrtNode({ gpu: await nodeGpu(), globals })
})

async function openMovable(form: OnnxFolderForm) {
  const change = { hidden_size: 32, intermediate_size: 32 }
  const plain = await nearCheckpoint(2, 0.03, { type: 'f32', change })
  const folder = memoryFolder('onnx', await onnxFolder(plain, form))
  const checkpoint = await openCheckpoint(folder)
  const factors = drawFactors(checkpoint.weights, RANK, SEED)
  const onnx = await openOnnx(folder, checkpoint.rawConfig)
  const model = await OrtCheckpointModel.open(ort, onnx, { branches: { factors, rank: RANK } })
  return { checkpoint, factors, model, codec: new TextCodec(checkpoint), onnx }
}

const FORMS: OnnxFolderForm[] = [
  { style: 'genai', storage: 4, blockSize: 16, external: 'model.onnx.data' },
  { style: 'optimum', storage: 8, blockSize: 16, zeros: 'packed' },
  { style: 'genai', storage: 4, blockSize: 16, isHalf: true, isPacked: false },
]

describe('branches', () => {
  it.each(FORMS)('move a %j as if its weights were moved', async (form) => {
    const { checkpoint, factors, model } = await openMovable(form)
    const gpu = await openTestDevice()
    const s = Float64Array.from(new Random(3).normals(model.size, 0.02))
    const arrays = new Map<string, Float32Array>()
    for (const [name, weight] of checkpoint.stored) {
      const index = factors.findIndex((one) => one.name === name)
      const values = await readElements(weight)
      arrays.set(name, index < 0 ? values : addMoves(values, factors[index], s, index))
    }
    const ours = DeviceModel.fromArrays(gpu, checkpoint.config, arrays)
    const ids = [5, 9, 33, 70, 12, 4]
    const batch = new Batch(gpu, checkpoint.config, [{ ids }])
    const still = await model.logits(ids)
    model.move(s)
    const expected = await allLogits(ours, batch)
    // float16 activations round at every step.
    expect(relativeError(await model.logits(ids), expected)).toBeLessThan(form.isHalf ? 5e-3 : 1e-5)
    expect(relativeError(still, expected)).toBeGreaterThan(0.01)
    model.move(new Float64Array(model.size))
    expect(relativeError(await model.logits(ids), still)).toBeLessThan(1e-6)
    await expectFailure(() => model.move([1]), 'request-invalid')
    batch.release()
    ours.dispose()
    await model.dispose()
  })

  it('are refused where they cover a fused matrix in part', async () => {
    const { onnx, factors, model } = await openMovable(FORMS[0])
    await model.dispose()
    const some = factors.filter(({ name }) => !name.endsWith('gate_up_proj.weight'))
    const kept = await OrtCheckpointModel.open(ort, onnx, { branches: { factors: some, rank: RANK } })
    expect(kept.size).toBe(some.length * RANK)
    await kept.dispose()
    const other = [{ ...factors[0], name: 'model.layers.7.x' }]
    await expectFailure(
      OrtCheckpointModel.open(ort, onnx, { branches: { factors: other, rank: RANK } }),
      'file-missing',
    )
  })
})

describe('tezoForward', () => {
  it('walks as our own does on the same weights, and lowers what it is checked by', async () => {
    const { checkpoint, model, codec } = await openMovable(FORMS[0])
    const gpu = await openTestDevice()
    const ours = await DeviceModel.load(gpu, checkpoint, { type: 'f32' })
    const expected = await tezoPolish(ours, codec, REPAIR_PROBES, { ...OPTIONS, redraw: 0 })
    const found = await tezoForward(model, codec, REPAIR_PROBES, OPTIONS)
    expect(found.forwardPasses).toBe(expected.forwardPasses)
    found.trace.forEach(({ loss, slope }, i) => {
      // 3e-7 and 5e-5 are seen; float32 noise in a slope moves s, and every later loss with it.
      expect(Math.abs(loss / expected.trace[i].loss - 1)).toBeLessThan(5e-6)
      expect(Math.abs(slope - expected.trace[i].slope)).toBeLessThan(2e-3)
    })
    expect(found.checks.map(({ step }) => step)).toEqual([0, 6, 12])
    expect(found.bestStep).toBe(expected.bestStep)
    expect(found.bestStep).toBeGreaterThan(0)
    const best = found.checks.find(({ step }) => step === found.bestStep)!
    expect(best.total).toBeLessThan(found.checks[0].total)
    expected.model.dispose()
    ours.dispose()
    await model.dispose()
  })
})
