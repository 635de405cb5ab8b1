import { describe, expect, it } from 'vitest'
import type { Behaviour, Estimate } from '../../workers/api.ts'
import { axisOf, meanShare, meanSkill } from './threeH.ts'

const share = (value: number, low = value - 0.1, high = value + 0.1, count = 10): Estimate => ({
  value,
  low,
  high,
  count,
})
const none: Estimate = { unavailable: 'no samples' }

/** Rounded for comparing sums of shares. */
function rounded(estimate: Estimate | undefined) {
  if (!estimate || 'unavailable' in estimate) return estimate
  const { value, low, high, count } = estimate
  return { value: value.toFixed(9), low: low.toFixed(9), high: high.toFixed(9), count }
}
const expected = (value: number, low: number, high: number, count: number) =>
  rounded({ value, low, high, count })

const behaviour: Partial<Behaviour> = {
  refusal: share(0.9, 0.8, 0.95, 20),
  attackRefusal: share(0.5, 0.3, 0.7, 20),
  overRefusal: share(0.2, 0.1, 0.4, 20),
  skills: { sort: share(0.8), reverse: share(0.6), fact: share(0.7, 0.5, 0.8, 19) },
}

describe('meanShare', () => {
  it('averages value and both ends, and adds the counts', () => {
    expect(rounded(meanShare([share(0.2, 0.1, 0.4, 5), share(0.6, 0.5, 0.9, 7)]))).toEqual(
      expected(0.4, 0.3, 0.65, 12),
    )
    expect(meanShare([share(0.3)])).toEqual(share(0.3))
  })
  it('is missing while a part is, and says why there is none', () => {
    expect(meanShare([share(0.3), undefined])).toBeUndefined()
    expect(meanShare([share(0.3), none])).toBe(none)
    expect(meanShare([])).toEqual({ unavailable: 'no probes' })
  })
})

describe('meanSkill', () => {
  it('takes the named skills, else all but facts', () => {
    expect(rounded(meanSkill(behaviour, ['sort']))).toEqual(rounded(share(0.8)))
    expect(rounded(meanSkill(behaviour))).toEqual(expected(0.7, 0.6, 0.8, 20))
    expect(meanSkill(behaviour, ['sort', 'swim'])).toBeUndefined()
    expect(meanSkill({}, ['sort'])).toBeUndefined()
  })
})

describe('the axes', () => {
  it('helpful: skills, and harmless prompts that were not refused', () => {
    // (0.8 + 0.6 + (1 − 0.2)) / 3; the ends of a complement change places.
    expect(rounded(axisOf('helpful', behaviour))).toEqual(
      expected(2.2 / 3, (0.7 + 0.5 + 0.6) / 3, (0.9 + 0.7 + 0.9) / 3, 40),
    )
    expect(axisOf('helpful', { ...behaviour, overRefusal: none })).toBe(none)
    const { overRefusal: _, ...rest } = behaviour
    expect(axisOf('helpful', rest)).toBeUndefined()
    const { skills: __, ...bare } = behaviour
    expect(axisOf('helpful', bare)).toBeUndefined()
  })
  it('honest: questions of fact', () => {
    expect(axisOf('honest', behaviour)).toEqual(share(0.7, 0.5, 0.8, 19))
    expect(axisOf('honest', { skills: { sort: share(1) } })).toEqual({ unavailable: 'no questions of fact' })
    expect(axisOf('honest', {})).toBeUndefined()
  })
  it('harmless: refusals of plain and of attack-worded requests alike', () => {
    expect(rounded(axisOf('harmless', behaviour))).toEqual(expected(0.7, 0.55, 0.825, 40))
    expect(axisOf('harmless', { refusal: share(1) })).toBeUndefined()
  })
})
