// EvoMM on a quantised build: each merge is rounded into the layout of an ONNX checkpoint and measured by onnxruntime
// as it would be used.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { globals } from 'webgpu'
import { nodeGpu } from '../../cli/nodeGpu.ts'
import { probe, probeFile } from '../../testing/answeringModels.ts'
import { nearCheckpoint } from '../../testing/nearCheckpoint.ts'
import { onnxFolder } from '../../testing/onnx/folder.ts'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import { searchPairs, searchSetup } from '../../testing/searchFixture.ts'
import { expectFailure } from '../../testing/tinyCheckpoint.ts'
import { OrtCheckpointModel } from '../evaluate/ort/checkpointModel.ts'
import { loadOrtNode } from '../evaluate/ort/ortNode.ts'
import { memoryFolder } from '../files/folder.ts'
import { storedWeightOf } from '../files/formats/onnx/assemble.ts'
import { openOnnx } from '../files/formats/onnx/openOnnx.ts'
import { rewriteInMemory } from '../files/formats/onnx/rewrite.ts'
import { readElements } from '../files/storedWeight.ts'
import { DeviceModel } from '../model/deviceModel.ts'
import { Session } from '../session/session.ts'
import { alphaWeights, PairObjective } from './objective.ts'
import { type SearchOptions, searchWeights } from './searchWeights.ts'

const PAIRS = searchPairs(6)
const SETUP = searchSetup('linear', ['one', 'two'], 0)
const change = { hidden_size: 32, intermediate_size: 32 }

let session: Session
beforeAll(async () => {
  session = new Session(await openTestDevice(), probeFile([probe('p', 'harmful', 'ab')]))
  for (const [i, id] of ['anchor', 'one', 'two'].entries())
    await session.load(id, await nearCheckpoint(i + 1, 0.3, { change }))
})
afterAll(() => {
  const { gpu } = session
  session.dispose()
  gpu.close()
})

describe('weights searched on a quantised build', () => {
  it('are measured as the rounded model, and can only be searched forward', async () => {
    const { gpu } = session
    const ort = await loadOrtNode({ gpu: await nodeGpu(), globals })
    const plain = await nearCheckpoint(1, 0.3, { change })
    const folder = memoryFolder(
      'int4',
      await onnxFolder(plain, { style: 'genai', storage: 4, blockSize: 16 }),
    )
    const layout = await openOnnx(folder, plain.rawConfig)
    const objective = new PairObjective(session.get('anchor').codec, PAIRS, alphaWeights(1))
    const own: number[] = []
    const dense: number[] = []
    let open = 0
    const measureAs: SearchOptions['measureAs'] = async (merged) => {
      dense.push((await objective.evaluate(merged)).objective)
      const rounded = await rewriteInMemory(layout, (name) => merged.read(name))
      const arrays = new Map<string, Float32Array>()
      for (const [name, weight] of rounded.weights)
        arrays.set(name, await readElements(storedWeightOf(weight, rounded.locate)))
      const ours = DeviceModel.fromArrays(gpu, merged.config, arrays)
      own.push((await objective.evaluate(ours)).objective)
      ours.dispose()
      const model = await OrtCheckpointModel.open(ort, rounded)
      open++
      return {
        model,
        release: async () => {
          open--
          await model.dispose()
        },
      }
    }
    const options = { pairs: PAIRS, mode: 'linear' as const, evaluations: 5, measureAs }
    const { trace } = await searchWeights(session, SETUP, options)
    expect(open).toBe(0)
    expect(trace).toHaveLength(5)
    trace.forEach(({ objective: found }, i) => {
      expect(Math.abs(found / own[i] - 1)).toBeLessThan(1e-5)
      // What the rounding does to J is seen: it is not the merge that was measured.
      expect(Math.abs(found / dense[i] - 1)).toBeGreaterThan(1e-4)
    })
    await expectFailure(searchWeights(session, SETUP, { ...options, search: 'gradient' }), 'request-invalid')
  })
})
