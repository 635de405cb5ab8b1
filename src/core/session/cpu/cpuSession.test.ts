// The built-in models without a device: shipped geometry, merges by references, everything measured on onnxruntime's
// wasm. Numbers are compared with those of a session on a device.

import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { globals } from 'webgpu'
import { equalSetup } from '../../../cli/equalSetup.ts'
import { nodeFolder } from '../../../cli/nodeFolder.ts'
import { openTestDevice } from '../../../testing/openTestDevice.ts'
import type { ForwardModel } from '../../evaluate/forwardModel.ts'
import { loadOrtNode } from '../../evaluate/ort/ortNode.ts'
import { readProbes } from '../../evaluate/probes.ts'
import { openCheckpoint } from '../../files/checkpoint.ts'
import { memoryFolder } from '../../files/folder.ts'
import type { Gpu } from '../../gpu/device.ts'
import { decodeWeights } from '../../tensors/dtype.ts'
import { ForwardMeasures, Measures } from '../measures.ts'
import { Session, type Setup } from '../session.ts'
import { CpuSession } from './cpuSession.ts'
import { weightOf } from './hostWeights.ts'

const root = resolve(import.meta.dirname, '../../../../public')

/** What the page opens with, and what is shipped. */
const SETUP = equalSetup('anchor', ['task-sort', 'task-reverse'])
const PER_CLASS = 64
/** answers that are compared one by one */
const FEW = 12

let gpu: Gpu
let device: Session
let host: CpuSession
let measures: ForwardMeasures<ForwardModel>

beforeAll(async () => {
  const probes = readProbes(JSON.parse(await readFile(`${root}/zoo/probes.json`, 'utf8')), 'probes.json')
  gpu = await openTestDevice()
  const loadOrt = () => loadOrtNode({ gpu: navigator.gpu, globals })
  device = new Session(gpu, probes)
  host = new CpuSession(loadOrt, await nodeFolder(`${root}/geometry`), probes)
  measures = new ForwardMeasures<ForwardModel>(host)
  for (const id of ['anchor', 'task-sort', 'task-reverse']) {
    const checkpoint = await openCheckpoint(await nodeFolder(`${root}/zoo/${id}`))
    await device.load(id, checkpoint)
    await host.load(id, checkpoint)
  }
})
afterAll(async () => {
  await host?.dispose()
  device?.dispose()
  gpu?.close()
})

describe('a method by its reference', () => {
  const setup: Setup = { ...SETUP, method: 'ties' }

  test('writes the weights that the device writes, bit for bit', async () => {
    const model = await device.merge(setup)
    const { layout, values, type } = await host.merge(setup)
    for (const weight of layout.weights)
      expect(decodeWeights(new Uint8Array(await model.readStored(weight.name)), type), weight.name).toEqual(
        weightOf(weight, values),
      )
  })

  test('is measured as on the device', async () => {
    const model = await host.mergedModel(setup)
    const other = new Measures(device)
    const merged = await device.merge(setup)
    const [own, theirs] = [
      await measures.aqi(setup, 'completions', model, PER_CLASS),
      await other.aqi(setup, 'completions', merged, PER_CLASS),
    ]
    const aqiOf = ({ result }: typeof own) =>
      'value' in result.normalised ? result.normalised.value : Number.NaN
    // Sums in float32, in another order.
    expect(aqiOf(own) / aqiOf(theirs)).toBeCloseTo(1, 5)
    const [said, wanted] = [
      await measures.behaviour(setup, model, FEW),
      await other.behaviour(setup, merged, FEW),
    ]
    expect(said.answered.map(({ text }) => text)).toEqual(wanted.answered.map(({ text }) => text))
    const { answerLoss: ownLoss, ...counts } = said.behaviour
    const { answerLoss, ...wantedCounts } = wanted.behaviour
    expect(counts).toEqual(wantedCounts)
    expect(
      Math.abs((ownLoss as { value: number }).value - (answerLoss as { value: number }).value),
    ).toBeLessThan(1e-5)
  })
})

describe('AlignMerge from shipped directions', () => {
  test('shields as on the device', async () => {
    const model = await host.mergedModel(SETUP)
    const { behaviour } = await measures.behaviour(SETUP, model, PER_CLASS)
    // What a session on a device measures of the same merge (docs/no-webgpu.md): 59 and 2 of 64, 53 of 64.
    expect(behaviour.refusal).toMatchObject({ value: 59 / 64 })
    expect(behaviour.compliance).toMatchObject({ value: 2 / 64 })
    expect(behaviour.skills.reverse).toMatchObject({ value: 53 / 64 })
    const shielded = await host.drift(SETUP, await host.merge(SETUP))
    // A coordinate shrinks to a fifth; the rest of the drift is what rounding to bfloat16 leaves.
    const plain = await host.drift(SETUP, await host.merge({ ...SETUP, lambdaAlign: 0 }))
    expect(shielded.own / plain.own).toBeGreaterThan(0.1)
    expect(shielded.own / plain.own).toBeLessThan(0.25)
  })

  test('experts in any order', async () => {
    const turned: Setup = {
      ...SETUP,
      experts: [
        { id: 'task-reverse', weight: 0.2 },
        { id: 'task-sort', weight: 0.8 },
      ],
    }
    const straight: Setup = { ...turned, experts: [...turned.experts].reverse() }
    const one = await host.merge(turned)
    const [first, rest] = [await host.drift(turned, one), await host.merge(straight)]
    expect(one.values).toEqual(rest.values)
    expect(first.heldOut / (await host.drift(straight, rest)).heldOut).toBeCloseTo(1, 9)
  })

  test('what is not shipped is refused, and what differs is named', async () => {
    const refused = async (change: Partial<Setup>, what: RegExp) => {
      const asked = host.prepare({ ...SETUP, ...change })
      await expect(asked).rejects.toMatchObject({ code: 'gpu-unavailable' })
      await expect(asked).rejects.toThrow(what)
    }
    await refused({ source: 'margin' }, /source of A margin, shipped with path/)
    await refused({ damping: 1, seed: 2 }, /damping ρ 1, shipped with 0.01; seed 2, shipped with 1/)
    await refused({ experts: [SETUP.experts[0]] }, /experts task-sort, shipped for task-sort \+ task-reverse/)
    const rounds = host.merge({ ...SETUP, parameters: { rounds: 2 } })
    await expect(rounds).rejects.toMatchObject({ code: 'gpu-unavailable' })
  })

  test('a shelf that is empty, or of other probes, is no shelf', async () => {
    const loadOrt = () => loadOrtNode({ gpu: navigator.gpu, globals })
    const bare = new CpuSession(loadOrt, memoryFolder('geometry', new Map()), host.probes)
    const other = new CpuSession(loadOrt, await nodeFolder(`${root}/geometry`), {
      ...host.probes,
      items: host.probes.items.slice(1),
    })
    for (const session of [bare, other])
      for (const id of ['anchor', 'task-sort', 'task-reverse'])
        await session.load(id, host.get(id).checkpoint)
    await expect(bare.prepare(SETUP)).rejects.toMatchObject({ code: 'file-missing' })
    await expect(other.prepare(SETUP)).rejects.toMatchObject({ code: 'check-failed' })
    await bare.dispose()
    await other.dispose()
  })
})

test('one merge runs at a time, and nothing is left of those before', async () => {
  const setups = [0, 1, 16].map((lambdaAlign): Setup => ({ ...SETUP, lambdaAlign }))
  const first = await host.mergedModel(setups[0])
  expect(await host.mergedModel(setups[0])).toBe(first)
  await host.mergedModel(setups[1])
  await expect(first.generate([[6]], { maxNewTokens: 1, endTokens: [] })).rejects.toThrow(/disposed/)
  await host.mergedModel(setups[2])
})
