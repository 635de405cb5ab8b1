// @vitest-environment happy-dom
// Questions about points, asked while the one before is still being answered.
import { beforeEach, expect, it } from 'vitest'
import { begin, experiment, resetStudio, settle } from '../testing/freshStudio.ts'
import { askProbes } from './actions.ts'
import { answersKey, noProbes, useProbes } from './store.ts'

resetStudio()
beforeEach(() => useProbes.setState(noProbes, true))

it('other points that are chosen while some are answered are answered too, each once', async () => {
  const engine = begin({ stepMs: 100 })
  await settle(60_000)
  const subject = { kind: 'model', id: 'built-in:anchor' } as const
  void askProbes(experiment(), [subject], ['a', 'b'])
  await settle(20)
  void askProbes(experiment(), [subject], ['b', 'c'])
  void askProbes(experiment(), [subject], ['c', 'd'])
  await settle(5000)
  const known = useProbes.getState().answers[answersKey(experiment(), subject)]
  expect(Object.keys(known ?? {})).toEqual(['a', 'b', 'c', 'd'])
  expect(engine.calls.filter((name) => name === 'answerProbes')).toHaveLength(3)
})
