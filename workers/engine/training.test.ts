// What the training wing tells of the steps it took, over a trainer that only counts.
import { expect, it, vi } from 'vitest'
import { JobQueue } from '../jobs.ts'
import type { EngineContext } from './context.ts'
import { trainingWing } from './training.ts'

vi.mock('../../src/core/train/fineTuning.ts', () => ({
  FineTuning: class {
    step = 0
    readonly steps = 100
    readonly model = { parameterCount: 1 }
    get isDone() {
      return this.step >= this.steps
    }
    async trainStep() {
      await new Promise((done) => setTimeout(done, 5))
      return { step: this.step++ }
    }
    dispose() {}
  },
}))
vi.mock('../../src/core/evaluate/sequenceLosses.ts', () => ({ sequenceLosses: async () => [] }))

const codec = { encodePrompt: () => [1], encodeCompletion: () => [2] }
const context = {
  queue: new JobQueue(() => {}),
  assertSound: () => {},
  onClose: () => {},
  current: () => ({ session: { get: () => ({ codec, model: { config: { maxPositions: 8 } } }) } }),
} as unknown as EngineContext

it('steps that were taken before a stop are told, and the next call goes on behind them', async () => {
  const wing = trainingWing(context)
  const lesson = { name: 'own', pairs: Array.from({ length: 20 }, () => ({ prompt: 'a', answer: 'b' })) }
  await wing.openTraining(1, { base: 'x', lesson, steps: 100, rate: 1e-3, batch: 4, seed: 1 })
  const asked = wing.trainSteps(2, 10, 10_000, true)
  await new Promise((done) => setTimeout(done, 12))
  context.queue.cancel(2)
  const { steps, done } = await asked
  expect(done).toBeGreaterThan(0)
  expect(done).toBeLessThan(10)
  expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: done }, (_, i) => i))
  const { steps: more } = await wing.trainSteps(3, 10, 10_000, false)
  expect(more[0]!.step).toBe(done)
})
