import { describe, expect, it } from 'vitest'
import { placeholderExperiment } from '../views/app/placeholderExperiment.ts'
import { decodeLink, encodeLink } from './codec.ts'
import { comparedExperiment, comparedMethods } from './comparison.ts'
import { mergeKey } from './experimentKey.ts'
import { findMethod, methodDeclarations, misfit, ownParameters } from './methods.ts'

const expertIds = ['task-sort', 'task-reverse', 'safety', 'uncensored']
const experimentOf = (count: number) => ({
  ...placeholderExperiment,
  experts: expertIds
    .slice(0, count)
    .map((id) => ({ origin: { kind: 'built-in' as const, id }, weight: 1 / count })),
})

describe('comparedMethods', () => {
  it.each([1, 2, 3, 4])(
    'for %i experts: every method that fits, none that does not, each row once',
    (count) => {
      const rows = comparedMethods(count)
      const compared = new Set(rows.map(({ method }) => method))
      const fitting = methodDeclarations
        .filter((declaration) => !misfit(declaration, count))
        .map(({ id }) => id)
      expect([...compared]).toEqual(fitting.filter((id) => id !== 'passthrough'))
      expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length)
      expect(new Set(rows.map(({ label }) => label)).size).toBe(rows.length)
    },
  )

  it('name parameters and choices that their method declares', () => {
    for (const { method, parameters } of comparedMethods(2))
      for (const [id, value] of Object.entries(parameters)) {
        const declared = ownParameters(findMethod(method)!).find((parameter) => parameter.id === id)
        expect(declared, `${method}.${id}`).toBeDefined()
        expect(typeof value).toBe(typeof declared?.default)
        if (declared?.kind === 'number') {
          expect(value).toBeGreaterThanOrEqual(declared.min)
          expect(value).toBeLessThanOrEqual(declared.max)
        }
        if (declared?.kind === 'choice')
          expect(declared.options.map((option) => option.value)).toContain(value)
      }
  })

  it('show AlignMerge at shields of their own, first without anything else', () => {
    const rows = comparedMethods(2).filter(({ method }) => method === 'alignmerge')
    expect(rows.every(({ lambdaAlign }) => lambdaAlign !== undefined)).toBe(true)
    const plain = rows.filter(({ parameters }) => Object.keys(parameters).length === 0)
    expect(plain.map(({ lambdaAlign }) => lambdaAlign)).toEqual([1, 16, 1024])
    expect(rows.slice(0, plain.length)).toEqual(plain)
  })

  it('scale the mean of task vectors to their sum', () => {
    for (const count of [2, 3]) {
      const sums = comparedMethods(count).filter(({ method }) => method === 'task_arithmetic')
      expect(sums.map(({ parameters }) => Number(parameters.lambda) / count)).toEqual([0.3, 1])
    }
  })
})

describe('comparedExperiment', () => {
  it.each([1, 2, 3])(
    'with %i experts: rows are different merges, and their links bring them back',
    (count) => {
      const experiment = experimentOf(count)
      const keys = comparedMethods(count).map((row) => {
        const own = comparedExperiment(experiment, row)
        const decoded = decodeLink(
          encodeLink({ experiment: own, view: { page: 'studio', aqiView: 'prompts', prompt: '' } }),
        )
        if (decoded.kind !== 'link') throw new Error(`${row.id}: ${JSON.stringify(decoded)}`)
        expect(decoded.adjusted, row.id).toEqual([])
        expect(mergeKey(decoded.state.experiment)).toBe(mergeKey(own))
        return mergeKey(own)
      })
      expect(new Set(keys).size).toBe(keys.length)
    },
  )

  it('changes the method alone', () => {
    const experiment = { ...experimentOf(2), seed: 9, parameters: { left: 'over' } }
    const [row] = comparedMethods(2).filter(({ method }) => method === 'alignmerge')
    expect(comparedExperiment(experiment, row!)).toEqual({
      ...experiment,
      method: 'alignmerge',
      parameters: {},
      lambdaAlign: row!.lambdaAlign,
    })
    expect(comparedExperiment(experiment, { ...row!, parameters: { souffle: 1 } }).parameters).toEqual({})
  })
})
