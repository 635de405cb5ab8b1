// @vitest-environment happy-dom
// An upload that is asked for twice, or anew while the one before is still being stopped.
import { beforeEach, expect, it } from 'vitest'
import { EngineError } from '../../core/errors.ts'
import { setChoice } from '../actions/recipe.ts'
import { stopAll } from '../actions/runner.ts'
import { startStudio } from '../actions/start.ts'
import { createFakeEngine } from '../testing/fakeEngine.ts'
import { begin, resetStudio, settle, stopWith } from '../testing/freshStudio.ts'
import { pushMerge, stopPush, usePush } from './push.ts'

resetStudio()
beforeEach(() => usePush.setState({ status: { kind: 'idle' } }))

const target = { repo: 'me/merge', token: 'hf_x', isPrivate: true }
const status = () => usePush.getState().status.kind

it('an upload that waits for the geometry is under way: not asked for twice, and can be stopped', async () => {
  const engine = begin({ stepMs: 1000 })
  await settle(200_000)
  setChoice('metric', 'identity')
  void pushMerge(target)
  await settle(500)
  expect(status()).toBe('running')
  void pushMerge(target)
  await settle(10_000)
  expect(status()).toBe('done')
  expect(engine.calls.filter((name) => name === 'pushMerge')).toHaveLength(1)
  setChoice('metric', 'fisher')
  void pushMerge(target)
  await settle(500)
  stopPush()
  await settle(10)
  expect(status()).toBe('stopped')
  await settle(10_000)
  expect(engine.calls.filter((name) => name === 'pushMerge')).toHaveLength(1)
})

it('the end of an upload that was stopped is not taken for that of the next', async () => {
  const engine = createFakeEngine()
  stopWith(
    startStudio(() => {
      const connection = engine.connect()
      let uploads = 0
      connection.port.pushMerge = async () => {
        const isFirst = uploads++ === 0
        await new Promise((done) => setTimeout(done, isFirst ? 2000 : 5000))
        if (isFirst) throw new EngineError('cancelled', 'stopped')
        return { url: 'https://hub.example/me/merge', commit: 'ab'.repeat(20), isUpdate: false }
      }
      return connection
    }),
  )
  await settle(60_000)
  void pushMerge(target)
  await settle(500)
  stopAll()
  await settle(10)
  expect(status()).toBe('stopped')
  void pushMerge(target)
  await settle(3000)
  expect(status()).toBe('running')
  await settle(5000)
  expect(status()).toBe('done')
})
