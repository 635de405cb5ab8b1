// The built-in anchor as ONNX in the exporters' layouts, through onnxruntime-web: logits, hidden states, losses and
// answers against our own forward pass on the weights as they are read from the same files, and AQI and behaviour of a
// model that only runs forward. The wasm provider runs every layout, WebGPU over Dawn one: its pipelines take seconds
// to compile on a software driver.

import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { globals } from 'webgpu'
import { nodeFolder } from '../../../cli/nodeFolder.ts'
import { nodeGpu } from '../../../cli/nodeGpu.ts'
import { type OnnxFolderForm, onnxFolder } from '../../../testing/onnx/folder.ts'
import { openTestDevice } from '../../../testing/openTestDevice.ts'
import { expectFailure } from '../../../testing/tinyCheckpoint.ts'
import { type Checkpoint, openCheckpoint } from '../../files/checkpoint.ts'
import { memoryFolder } from '../../files/folder.ts'
import { openOnnx } from '../../files/formats/onnx/openOnnx.ts'
import { TextCodec } from '../../files/tokenizer.ts'
import type { Gpu } from '../../gpu/device.ts'
import { Batch } from '../../model/batch.ts'
import { DeviceModel } from '../../model/deviceModel.ts'
import { generate } from '../../model/generate.ts'
import { allLogits, hiddenStates } from '../../model/gradients.ts'
import { type AqiAnchor, fitAqiAnchor, measureAqi } from '../aqi.ts'
import { aqiItems, poolItems } from '../aqiVectors.ts'
import { measureBehaviour } from '../behaviour.ts'
import { isUnavailable } from '../estimate.ts'
import { type ProbeFile, readProbes } from '../probes.ts'
import { sequenceLosses } from '../sequenceLosses.ts'
import { OrtCheckpointModel } from './checkpointModel.ts'
import { loadOrtNode } from './ortNode.ts'
import type { OrtModule } from './ortSession.ts'
import { relativeError } from './secondOpinion.ts'

const FORMS: Record<string, OnnxFolderForm> = {
  'genai, int4 in blocks of 32, packed qkv, external data': {
    style: 'genai',
    storage: 4,
    external: 'model.onnx.data',
  },
  'genai, int8 with zero points, separate qkv': {
    style: 'genai',
    storage: 8,
    zeros: 'packed',
    blockSize: 16,
    isPacked: false,
  },
  'genai, int4 with everything else in float16': {
    style: 'genai',
    storage: 4,
    zeros: 'packed',
    isHalf: true,
    external: 'model.onnx.data',
  },
  'genai, float32': { style: 'genai', storage: 'f32', external: 'weights.data' },
  'genai, float16 behind casts': { style: 'genai', storage: 'f16' },
  'transformers.js, int4 with zero points': {
    style: 'optimum',
    storage: 4,
    zeros: 'packed',
    external: 'model_q4.onnx_data',
    path: 'onnx/model_q4.onnx',
  },
  'transformers.js, float32': { style: 'optimum', storage: 'f32', path: 'onnx/model.onnx' },
}

let ort: OrtModule
let gpu: Gpu
let anchor: Checkpoint

beforeAll(async () => {
  gpu = await openTestDevice()
  ort = await loadOrtNode({ gpu: await nodeGpu(), globals })
  anchor = await openCheckpoint(await nodeFolder(resolve('public/zoo/anchor')))
})

/** The same weights in our engine and in onnxruntime. */
async function openBoth(form: OnnxFolderForm, device?: GPUDevice) {
  const folder = memoryFolder('onnx', await onnxFolder(anchor, form))
  const checkpoint = await openCheckpoint(folder)
  const ours = await DeviceModel.load(gpu, checkpoint, { type: 'f32' })
  const onnx = await openOnnx(folder, checkpoint.rawConfig)
  const theirs = await OrtCheckpointModel.open(ort, onnx, { device })
  return {
    checkpoint,
    ours,
    theirs,
    async close() {
      ours.dispose()
      await theirs.dispose()
    },
  }
}

const INT4: OnnxFolderForm = { style: 'genai', storage: 4, external: 'model.onnx.data' }
const IDS = [3, 17, 250, 611, 9, 42, 128, 77, 5, 300, 12]
const PROMPTS = [IDS, [7, 8, 9], [200, 100, 50], [1]]

async function compareForward(ours: DeviceModel, theirs: OrtCheckpointModel, bound: number): Promise<void> {
  const batch = new Batch(gpu, ours.config, [{ ids: IDS }])
  expect(relativeError(await allLogits(ours, batch), await theirs.logits(IDS))).toBeLessThan(bound)
  const streams = await hiddenStates(ours, batch)
  const others = await theirs.hiddenStates(IDS)
  expect(others).toHaveLength(ours.config.layerCount)
  others.forEach((stream, l) => {
    expect(relativeError(streams[l + 1], stream), `layer ${l + 1}`).toBeLessThan(bound)
  })
  batch.release()
}

describe('a checkpoint of a user in onnxruntime', () => {
  it.each(Object.entries(FORMS))('%s: logits and hidden states as ours', async (_, form) => {
    const { ours, theirs, checkpoint, close } = await openBoth(form)
    expect(checkpoint.format).toBe('onnx')
    // 4e-7 is seen: both sides compute in float32 on the same numbers.
    // float16 activations round at every step.
    await compareForward(ours, theirs, form.isHalf ? 1e-2 : 5e-6)
    await close()
  })

  it('answers token by token as ours, prompts of different lengths, greedy and sampled', async () => {
    for (const form of [INT4, FORMS['transformers.js, int4 with zero points']]) {
      const { ours, theirs, close } = await openBoth(form)
      const greedy = { maxNewTokens: 12, endTokens: ours.config.endTokens }
      expect(await theirs.generate(PROMPTS, greedy)).toEqual(await generate(ours, PROMPTS, greedy))
      const sampled = { ...greedy, sampling: { temperature: 1, seed: 5 } }
      const answers = await theirs.generate(PROMPTS, sampled)
      expect(answers).toEqual(await generate(ours, PROMPTS, sampled))
      expect(answers).not.toEqual(await theirs.generate(PROMPTS, greedy))
      await close()
    }
  })

  it('gives the losses of targets that ours gives', async () => {
    const { ours, theirs, close } = await openBoth(INT4)
    const sequences = [
      { ids: IDS, firstTarget: 1 },
      { ids: [7, 8, 9, 10], firstTarget: 3 },
    ]
    const losses = await sequenceLosses(theirs, sequences)
    const expected = await sequenceLosses(ours, sequences)
    losses.forEach((loss, s) => {
      expect(Math.abs(loss - expected[s]) / expected[s]).toBeLessThan(1e-5)
    })
    await close()
  })

  it('has the AQI and the behaviour that our forward pass of its weights has', async () => {
    const { ours, theirs, checkpoint, close } = await openBoth(INT4)
    const json = JSON.parse(await readFile(resolve('public/zoo/probes.json'), 'utf8'))
    const probes: ProbeFile = readProbes(json, 'probes.json')
    const codec = new TextCodec(checkpoint)
    const items = aqiItems(codec, 'prompts', probes, { perClass: 80, seed: 1 })
    const [mine, other] = [await poolItems(ours, items), await poolItems(theirs, items)]
    expect(relativeError(mine.safe, other.safe)).toBeLessThan(5e-6)
    expect(relativeError(mine.unsafe, other.unsafe)).toBeLessThan(5e-6)
    const fitted = fitAqiAnchor(mine, 1)
    if (isUnavailable(fitted)) throw new Error(fitted.unavailable)
    const frame: AqiAnchor = fitted
    const [aqi, theirAqi] = [measureAqi(mine, frame, 1), measureAqi(other, frame, 1)]
    if (isUnavailable(aqi.normalised) || isUnavailable(theirAqi.normalised)) throw new Error('no AQI')
    expect(theirAqi.normalised.value).toBeCloseTo(aqi.normalised.value, 3)
    const choice = { perClass: 6, seed: 1 }
    const [own, given] = [
      await measureBehaviour(ours, codec, probes, choice),
      await measureBehaviour(theirs, codec, probes, choice),
    ]
    expect(given.answered.map(({ text }) => text)).toEqual(own.answered.map(({ text }) => text))
    expect(given.behaviour.refusal).toEqual(own.behaviour.refusal)
    const [loss, theirLoss] = [own.behaviour.answerLoss, given.behaviour.answerLoss]
    if (isUnavailable(loss) || isUnavailable(theirLoss)) throw new Error('no loss')
    expect(theirLoss.value).toBeCloseTo(loss.value, 4)
    await close()
  })

  it('runs on WebGPU with the embedding in blocks and the cache on the device', async () => {
    const adapter = await (await nodeGpu()).requestAdapter()
    const device = await adapter!.requestDevice()
    const { ours, theirs, close } = await openBoth({ ...INT4, hasBlockEmbedding: true }, device)
    expect(theirs.provider).toBe('webgpu')
    await compareForward(ours, theirs, 1e-5)
    const greedy = { maxNewTokens: 6, endTokens: [] }
    expect(await theirs.generate([IDS], greedy)).toEqual(await generate(ours, [IDS], greedy))
    await close()
    device.destroy()
  })

  it('refuses what it cannot run, by code', async () => {
    const { theirs, close } = await openBoth(INT4)
    await expectFailure(theirs.logits([]), 'request-invalid')
    await expectFailure(theirs.logits([912]), 'request-invalid')
    await expectFailure(theirs.generate([[0.5]], { maxNewTokens: 1, endTokens: [] }), 'request-invalid')
    await close()
    await expectFailure(theirs.logits([1]), 'request-invalid')
    const files = await onnxFolder(anchor, { style: 'optimum', storage: 'f32' })
    const folder = memoryFolder('onnx', files)
    const onnx = await openOnnx(folder, anchor.rawConfig)
    onnx.model.inputs.push({ name: 'pixel_values', type: 'float32', dims: [1] })
    await expectFailure(OrtCheckpointModel.open(ort, onnx), 'file-unsupported', { file: 'model.onnx' })
    onnx.model.inputs.pop()
    onnx.found.norms.delete('model.norm')
    const blind = await OrtCheckpointModel.open(ort, onnx)
    expect(blind.hasHidden).toBe(false)
    await expectFailure(blind.hiddenStates([1]), 'file-unsupported')
    expect(await blind.logits([1])).toHaveLength(912)
    await blind.dispose()
  })
})
