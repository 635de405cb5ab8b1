// Racing work with an end: who wins, and that a thousand finished races leave nothing behind.

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { raceEnd } from './race.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

function ending() {
  let fail: (reason: Error) => void = () => {}
  const end = new Promise<never>((_resolve, reject) => {
    fail = reject
  })
  return { end, fail: (reason: Error) => fail(reason) }
}

it('settles as the work does', async () => {
  const { end } = ending()
  expect(await raceEnd(Promise.resolve(3), end)).toBe(3)
  await expect(raceEnd(Promise.reject(new Error('no')), end)).rejects.toThrow('no')
})

it('rejects with the end, of all work that waits and of work that comes later', async () => {
  const { end, fail } = ending()
  const races = [1, 2].map(() => raceEnd(new Promise<number>(() => {}), end))
  fail(new Error('gone'))
  for (const race of races) await expect(race).rejects.toThrow('gone')
  await expect(raceEnd(new Promise<number>(() => {}), end)).rejects.toThrow('gone')
})

it('keeps nothing of work that has settled', async () => {
  const { end } = ending()
  const results: WeakRef<object>[] = []
  const run = async () => {
    for (let i = 0; i < 100; i++) {
      const result = { bytes: new Uint8Array(1000) }
      results.push(new WeakRef(result))
      await raceEnd(Promise.resolve(result), end)
    }
  }
  await run()
  // What a microtask still holds is let go of by the next turn.
  await new Promise((done) => setTimeout(done, 0))
  collect()
  expect(results.filter((result) => result.deref() !== undefined).length).toBeLessThan(3)
})
