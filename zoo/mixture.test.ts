import { describe, expect, it } from 'vitest'
import { mixData, mixtures, ratios } from './mixture.ts'
import { models } from './recipe.ts'

describe('data mixtures', () => {
  it('share sequences as their ratio says, whatever the experts’ own shares sum to', () => {
    expect(
      mixData([
        { mixture: { sort: 2, fact: 2 }, share: 0.25 },
        { mixture: { fact: 3 }, share: 0.75 },
      ]),
    ).toEqual({
      sort: 0.125,
      fact: 0.875,
    })
    const safety = models.find(({ role }) => role === 'safety')!
    mixtures.forEach(({ mixture }, i) => {
      const [ofSafety, ofTasks] = ratios[i]
      expect(Object.values(mixture).reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12)
      // Only the safety expert's data has attacks that are refused.
      const share = safety.mixture.attackRefused! / Object.values(safety.mixture).reduce((a, b) => a + b, 0)
      expect(mixture.attackRefused).toBeCloseTo((share * ofSafety) / (ofSafety + ofTasks), 12)
    })
  })

  it('train on nothing but the experts’ data, from the anchor, as long as a task expert', () => {
    const experts = models.filter(({ role }) => role === 'task' || role === 'safety')
    const known = new Set(experts.flatMap(({ mixture }) => Object.keys(mixture)))
    const expert = models.find(({ role }) => role === 'task')!
    for (const { mixture, from, steps, batchSequences, skill } of mixtures) {
      for (const source of Object.keys(mixture)) expect(known).toContain(source)
      expect({ from, steps, batchSequences, skill }).toEqual({
        from: 'anchor',
        steps: expert.steps,
        batchSequences: expert.batchSequences,
        skill: undefined,
      })
    }
    const seeds = [...models, ...mixtures].map(({ seed }) => seed)
    expect(new Set(seeds).size).toBe(seeds.length)
  })
})
