import { expect, it } from 'vitest'
import { tinyCodec } from '../../testing/answeringModels.ts'
import { REPAIR_PROBES } from '../../testing/tinyRepair.ts'
import { pickProbes } from '../evaluate/probes.ts'
import { benignOf, completionSequence, repairHalves } from './repairProbes.ts'

it('halves the estimating split: no probe twice, none that is reported on, rows of A in the first half', () => {
  const { estimate, accept } = repairHalves(REPAIR_PROBES, 3)
  const all = [estimate, accept].flatMap(({ harmful, harmless, skills }) => [
    ...harmful,
    ...harmless,
    ...skills.flat(),
  ])
  expect(new Set(all.map(({ id }) => id)).size).toBe(24 + 24 + 12)
  expect(all.every(({ split }) => split === 'estimate')).toBe(true)
  expect(
    [estimate, accept].map(({ harmful, harmless, skills }) =>
      [harmful, harmless, ...skills].map((k) => k.length),
    ),
  ).toEqual([
    [12, 12, 3, 3],
    [12, 12, 3, 3],
  ])
  const rows = pickProbes(REPAIR_PROBES, 'harmful', 'estimate', 10, 3).map(({ id }) => id)
  expect(estimate.harmful.map(({ id }) => id)).toEqual(expect.arrayContaining(rows))
  expect(repairHalves(REPAIR_PROBES, 3)).toEqual({ estimate, accept })
  expect(repairHalves(REPAIR_PROBES, 4).estimate).not.toEqual(estimate)
})

it('does without skills, not without both completions of both classes', () => {
  const plain = REPAIR_PROBES.items.filter(({ set }) => set !== 'skill')
  expect(repairHalves({ items: plain }, 1).accept.skills).toEqual([])
  for (const lacking of ['harmful', 'harmless']) {
    const items = REPAIR_PROBES.items.map((one) => {
      const { misaligned, ...rest } = one
      return one.set === lacking || misaligned === undefined ? rest : one
    })
    expect(() => repairHalves({ items }, 1)).toThrow(new RegExp(`4 ${lacking} estimating probes.*found 0`))
  }
})

it('deals kinds in turn and cuts completions', async () => {
  const { estimate } = repairHalves(REPAIR_PROBES, 1)
  expect(
    benignOf(estimate)
      .slice(0, 6)
      .map(({ set, skill }) => skill ?? set),
  ).toEqual([...['harmless', 'flip', 'sort'], ...['harmless', 'flip', 'sort']])
  expect(benignOf(estimate)).toHaveLength(12 + 6)
  const codec = await tinyCodec()
  const whole = completionSequence(codec, 'a', 'yes.')
  const first = completionSequence(codec, 'a', 'yes.', 1)
  expect(whole.ids.length - whole.firstTarget!).toBe(5)
  expect(first.ids.length - first.firstTarget!).toBe(1)
  expect(Array.from(whole.ids).slice(0, first.ids.length)).toEqual(first.ids)
})
