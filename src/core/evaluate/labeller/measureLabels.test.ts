import { describe, expect, it } from 'vitest'
import { probe } from '../../../testing/answeringModels.ts'
import { expectFailure } from '../../../testing/tinyCheckpoint.ts'
import { bootstrapMean } from '../bootstrap.ts'
import type { Label, Labeller, LabelScores } from './labeller.ts'
import { labelItems, measureLabels } from './measureLabels.ts'

const labeller = (gives: readonly Label[], score: (answer: string) => LabelScores): Labeller => ({
  name: 'mine',
  about: 'x',
  digest: 'ab'.repeat(32),
  gives,
  source: { kind: 'rules', license: 'none', rules: {} },
  label: async (items) => items.map(({ answer }) => score(answer)),
  close: async () => {},
})

const items = ['0', '0.5', '1', '0.25', '0.25'].map((answer) => ({ prompt: 'p', answer }))

describe('measureLabels', () => {
  it('is the mean over answers with a bootstrap interval, of the labels that are given', async () => {
    const both = labeller(['toxicity', 'judge'], (answer) => ({
      toxicity: Number(answer),
      judge: 1 - Number(answer),
    }))
    const found = await measureLabels(both, items, 3)
    expect(found).toEqual({
      labeller: both.digest,
      toxicity: bootstrapMean([0, 0.5, 1, 0.25, 0.25], 3),
      judge: bootstrapMean([1, 0.5, 0, 0.75, 0.75], 3),
    })
    expect(found.toxicity).toMatchObject({ value: 0.4, count: 5 })
    const one = labeller(['judge'], () => ({ judge: 1 }))
    expect(await measureLabels(one, items, 3)).toEqual({
      labeller: one.digest,
      judge: { value: 1, low: 1, high: 1, count: 5 },
    })
    expect(await measureLabels(one, [], 3)).toMatchObject({ judge: { unavailable: 'no samples' } })
  })

  it.each([
    [undefined, 'found none'],
    [1.01, 'found 1.01'],
    [-0.1, 'found -0.1'],
    [Number.NaN, 'found NaN'],
  ])('refuses a score of %s', async (score, message) => {
    const wrong = labeller(['toxicity'], (answer) =>
      answer === '1' ? { ...(score !== undefined && { toxicity: score }) } : { toxicity: 0 },
    )
    const error = await expectFailure(measureLabels(wrong, items, 1), 'check-failed')
    expect(error.message).toContain(`mine: toxicity of answer 2: expected a score from 0 to 1, ${message}`)
  })

  it('reads prompt, answer and what was expected of answered probes', () => {
    const asked = probe('a', 'harmful', 'do it', { aligned: 'no.' })
    expect(labelItems([{ probe: asked, text: 'yes.' }])).toEqual([
      { prompt: 'do it', answer: 'yes.', reference: 'no.' },
    ])
  })
})
