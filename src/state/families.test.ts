// @vitest-environment happy-dom
// Micro families are opened when asked for, take part as a whole, wait for no link in vain and survive a lost device.
import { expect, it } from 'vitest'
import { encodeLink } from '../share/codec.ts'
import { familyOf, isOpenedAtStart, microFamilies } from '../share/families.ts'
import { openFamily } from './actions/models.ts'
import { reopenEngine } from './actions/start.ts'
import { missingOrigins } from './selectors.ts'
import { initialState, readState, useStudio } from './store.ts'
import { begin, experiment, resetStudio, settle, stopStudio } from './testing/freshStudio.ts'

resetStudio()

const llama = microFamilies.find(({ id }) => id === 'llama')!
const cast = () => [experiment().anchor, ...experiment().experts.map(({ origin }) => origin)]
const builtIn = (id: string) => ({ kind: 'built-in' as const, id })
const ids = ['llama/anchor', 'llama/task-sort', 'llama/uncensored']

it('are told from other origins by their ids', () => {
  expect(familyOf(builtIn('llama/anchor'))).toBe(llama)
  for (const origin of [builtIn('anchor'), builtIn('gpt/anchor'), builtIn('llama/'), builtIn('llama')])
    expect(familyOf(origin)).toBeUndefined()
  expect(familyOf({ kind: 'url', url: 'https://llama/anchor' })).toBeUndefined()
  expect([builtIn('anchor'), builtIn('llama/anchor')].map(isOpenedAtStart)).toEqual([true, false])
})

it('are not opened at the start, and take part as a whole once they are', async () => {
  const engine = begin()
  await settle()
  expect(engine.calls).not.toContain('openFamily')
  const { lambdaAlign } = experiment()
  await Promise.all([openFamily(llama), settle()])
  expect(cast()).toEqual(ids.map(builtIn))
  expect(experiment()).toMatchObject({ lambdaAlign, references: { unaligned: builtIn('llama/uncensored') } })
  expect(experiment().experts.map(({ weight }) => weight)).toEqual([0.5, 0.5])
})

it('leave the experiment of a link that waits for them as it is', async () => {
  begin()
  await settle()
  const linked = {
    ...experiment(),
    anchor: builtIn(ids[0]),
    experts: [{ origin: builtIn(ids[2]), weight: 1 }],
    references: {},
    lambdaAlign: 64,
  }
  stopStudio()
  const view = { page: 'studio' as const, aqiView: 'prompts' as const, prompt: '' }
  history.replaceState(null, '', encodeLink({ experiment: linked, view }))
  useStudio.setState(initialState(), true)
  begin()
  await settle()
  expect(missingOrigins(readState().models.list, experiment())).toHaveLength(2)
  await Promise.all([openFamily(llama), settle()])
  expect(missingOrigins(readState().models.list, experiment())).toEqual([])
  expect(experiment()).toEqual(linked)
})

it('are opened again after the device was lost', async () => {
  const engine = begin()
  await settle()
  await Promise.all([openFamily(llama), settle()])
  engine.emit({ kind: 'device-lost', reason: 'driver reset' })
  await Promise.all([reopenEngine(), settle()])
  expect(engine.calls.filter((call) => call === 'openFamily')).toHaveLength(2)
  expect(missingOrigins(readState().models.list, experiment())).toEqual([])
  const names = readState().models.list.map(({ id }) => id)
  expect(new Set(names).size).toBe(names.length)
})
