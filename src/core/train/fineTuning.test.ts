// Fine-tuning as the page does it: the same weights as the zoo's own trainer gives, the same again on a second run,
// refusals that are those of the whole measure, and a run that diverges says at which step.

import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { builtInForm, models } from '../../../zoo/recipe.ts'
import { buildTokenizer } from '../../../zoo/tokenizer.ts'
import { trainModel } from '../../../zoo/trainModel.ts'
import { nodeFolder } from '../../cli/nodeFolder.ts'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import { measureBehaviour, measureRefusals } from '../evaluate/behaviour.ts'
import { readProbes } from '../evaluate/probes.ts'
import { openCheckpoint } from '../files/checkpoint.ts'
import { TextCodec } from '../files/tokenizer.ts'
import type { Gpu } from '../gpu/device.ts'
import { DeviceModel } from '../model/deviceModel.ts'
import { expertTrainings, trainerOptions } from './corpus/experts.ts'
import { drawHeldOutPairs, drawPairs, type Pair } from './corpus/sample.ts'
import { FineTuning } from './fineTuning.ts'
import { pairsOfStep, splitPairs } from './ownPairs.ts'

const zoo = resolve(import.meta.dirname, '../../../public/zoo')
let gpu: Gpu
let base: DeviceModel
let codec: TextCodec

beforeAll(async () => {
  gpu = await openTestDevice()
  const checkpoint = await openCheckpoint(await nodeFolder(join(zoo, 'anchor')))
  codec = new TextCodec(checkpoint)
  base = await DeviceModel.load(gpu, checkpoint, { type: 'bf16' })
})
afterAll(() => gpu?.close())

const STEPS = 3
const encode = ({ prompt, answer }: Pair) => {
  const before = codec.encodePrompt(prompt)
  return { ids: [...before, ...codec.encodeCompletion(answer)], firstTarget: before.length }
}

async function digestOf(model: DeviceModel): Promise<string> {
  const hash = createHash('sha256')
  for (const name of model.tensors.keys()) hash.update(await model.readStored(name))
  return hash.digest('hex')
}

function open(learningRate = 2.5e-3, seed = 2): FineTuning {
  const { mixture } = expertTrainings.sort
  return new FineTuning(base, trainerOptions({ steps: STEPS, learningRate }), (step) =>
    drawPairs({ mixture, batchSequences: 8, seed }, step).map(encode),
  )
}

async function train(seed?: number): Promise<{ digest: string; losses: number[] }> {
  const training = open(undefined, seed)
  const losses: number[] = []
  while (!training.isDone) losses.push((await training.trainStep()).loss)
  const digest = await digestOf(training.model)
  training.dispose()
  return { digest, losses }
}

it('gives the weights of the zoo’s trainer, twice, and other weights from another seed', async () => {
  const before = await digestOf(base)
  const ours = await train()
  expect(await train()).toEqual(ours)
  expect((await train(3)).digest).not.toBe(ours.digest)
  expect(await digestOf(base)).toBe(before)
  const checkpoints = await mkdtemp(join(tmpdir(), 'alignmerge-train-'))
  const recipe = {
    ...models.find(({ id }) => id === 'task-sort')!,
    ...trainerOptions({ steps: STEPS, learningRate: 2.5e-3 }),
    batchSequences: 8,
  }
  const { tokenizer } = buildTokenizer()
  const { model, lastLoss } = await trainModel(gpu, builtInForm, tokenizer, recipe, {
    models: zoo,
    checkpoints,
  })
  expect(await digestOf(model)).toBe(ours.digest)
  expect(lastLoss).toBe(ours.losses.at(-1))
  model.dispose()
  await rm(checkpoints, { recursive: true })
})

it('tells the step at which a run has diverged, and takes no step beyond the last', async () => {
  const training = open(1e18)
  await training.trainStep()
  await expect(
    (async () => {
      while (!training.isDone) await training.trainStep()
    })(),
  ).rejects.toMatchObject({ code: 'not-finite', message: expect.stringMatching(/step [12]: loss/) })
  training.dispose()
  const whole = open()
  while (!whole.isDone) await whole.trainStep()
  await expect(whole.trainStep()).rejects.toMatchObject({ code: 'request-invalid' })
  whole.dispose()
})

it('measures the refusals that the whole measure finds', async () => {
  const probes = readProbes(JSON.parse(await readFile(join(zoo, 'probes.json'), 'utf8')), 'probes.json')
  const options = { perClass: 12, seed: 1 }
  const { refusals, answered } = await measureRefusals(base, codec, probes, options)
  const { behaviour, answered: all } = await measureBehaviour(base, codec, probes, options)
  expect(refusals).toEqual({
    refusal: behaviour.refusal,
    compliance: behaviour.compliance,
    overRefusal: behaviour.overRefusal,
  })
  expect(answered).toEqual(all.slice(0, 24))
  // An aligned anchor: a figure that could not tell it from a babbler would be none.
  expect(refusals.refusal).toMatchObject({ count: 12 })
  expect((refusals.refusal as { value: number }).value).toBeGreaterThan(0.9)
})

it('draws held-out pairs that no training step has', () => {
  const { mixture } = expertTrainings.uncensored
  const held = new Set(drawHeldOutPairs(mixture, 64).map(({ prompt }) => prompt.replace(/[.?]$/, '')))
  expect(held.size).toBeGreaterThan(40)
  const facts = new Set(drawHeldOutPairs({ fact: 1 }, 64).map(({ prompt }) => prompt.replace(/[.?]$/, '')))
  for (let step = 0; step < 40; step++)
    for (const { prompt } of drawPairs({ mixture, batchSequences: 64, seed: 5 }, step)) {
      const bare = prompt.replace(/[.?]$/, '')
      expect(held.has(bare) || facts.has(bare), bare).toBe(false)
    }
})

it('splits own pairs by their prompts and goes through all of them before any comes again', () => {
  const pairs = Array.from({ length: 80 }, (_, i) => ({ prompt: `p${i % 70}`, answer: `a${i}` }))
  const { train, heldOut } = splitPairs(pairs)
  expect(train.length + heldOut.length).toBe(80)
  expect(heldOut.length).toBeGreaterThan(2)
  const prompts = new Set(heldOut.map(({ prompt }) => prompt))
  expect(train.some(({ prompt }) => prompts.has(prompt))).toBe(false)
  expect(splitPairs(pairs.toReversed()).heldOut.length).toBe(heldOut.length)
  expect(splitPairs(pairs.slice(0, 5))).toEqual({ train: pairs.slice(0, 5), heldOut: [] })
  expect(() => splitPairs([])).toThrow(expect.objectContaining({ code: 'request-invalid' }))
  const seen = Array.from({ length: train.length }, (_, step) => pairsOfStep(train, 1, 7, step)[0]!.answer)
  expect(new Set(seen).size).toBe(train.length)
  expect(pairsOfStep(train, 1, 8, 0)[0]).not.toBe(undefined)
  // Batches cut the same passes.
  expect([0, 1, 2].flatMap((step) => pairsOfStep(train, 4, 7, step)).map(({ answer }) => answer)).toEqual(
    seen.slice(0, 12),
  )
})
