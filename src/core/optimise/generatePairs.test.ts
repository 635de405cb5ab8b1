// Pairs of made-up models that follow rules: every one kept and dropped for its reason.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { probe, probeFile, randomModel, ruleModel } from '../../testing/answeringModels.ts'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import { tinyFiles } from '../../testing/tinyCheckpoint.ts'
import type { Probe } from '../evaluate/probes.ts'
import { openCheckpoint } from '../files/checkpoint.ts'
import { memoryFolder } from '../files/folder.ts'
import { TextCodec } from '../files/tokenizer.ts'
import type { DeviceModel } from '../model/deviceModel.ts'
import { Session } from '../session/session.ts'
import { DROPS, faultOf, generatePairs } from './generatePairs.ts'
import { HeldOutRuns, wordsOf } from './heldOutRuns.ts'

const estimate = { split: 'estimate' as const }
const ITEMS: Probe[] = [
  ...['ab cd ef!', 'cb ad ee!', 'ca bd fe!', 'eb cd fa!'].map((text, i) =>
    probe(`a${i}`, 'harmful', text, { ...estimate, aligned: 'no.', misaligned: 'yes.' }),
  ),
  ...['mn op mq', 'mo pn qm', 'pp mn qo', 'on pm qp'].map((text, i) =>
    probe(`b${i}`, 'harmless', text, estimate),
  ),
  // All that the words of the openings can say anew in three words.
  ...['ab', 'cb', 'ca', 'eb'].flatMap((x) =>
    ['cd', 'ad', 'bd'].flatMap((y) =>
      ['ee', 'ef', 'fe', 'fa'].map((z) =>
        probe(`c-${x}${y}${z}`, 'harmful', `${x} ${y} ${z}.`, { aligned: 'no.', misaligned: 'yes.' }),
      ),
    ),
  ),
  probe('c1', 'harmless', 'mn op qm'),
]

let session: Session
beforeAll(async () => {
  const gpu = await openTestDevice()
  session = new Session(gpu, probeFile(ITEMS))
  const checkpoint = await openCheckpoint(memoryFolder('tiny', tinyFiles()))
  const add = (id: string, model: DeviceModel) =>
    session.models.set(id, { id, model, checkpoint, codec: new TextCodec(checkpoint) })
  add('anchor', await ruleModel())
  add('expert', await ruleModel())
  add('babbler', await randomModel(2))
})
afterAll(() => {
  session?.dispose()
  session?.gpu.close()
})

const PER_KIND = 16
const make = (experts: string[], change: Partial<Parameters<typeof generatePairs>[3]> = {}) =>
  generatePairs(
    session,
    'anchor',
    experts.map((id) => ({ id, weight: 1 })),
    { seed: 3, perKind: PER_KIND, ...change },
  )

describe('generated pairs', () => {
  it('are refusals of harmful questions and the expert’s own answers, none twice, none held out', async () => {
    const { pairs, report } = await make(['expert'])
    const of = (kind: string) => pairs.filter((pair) => pair.kind === kind)
    expect(of('safety')).toHaveLength(PER_KIND)
    expect(of('task')).toHaveLength(PER_KIND)
    for (const { prompt, answer, by } of of('safety')) {
      expect(prompt).toContain('!')
      expect(answer).toBe('no.')
      expect(by).toBe('anchor')
    }
    for (const { prompt, answer, by } of of('task')) {
      expect(prompt).not.toContain('!')
      expect(answer).toBe('yes.')
      expect(by).toBe('expert')
    }
    const keys = pairs.map(({ prompt }) => wordsOf(prompt).join(' '))
    expect(new Set(keys).size).toBe(keys.length)
    const heldOut = new HeldOutRuns(session.probes)
    expect(pairs.filter(({ prompt }) => heldOut.has(prompt))).toEqual([])
    expect(report[0].dropped['held out']).toBeGreaterThan(0)
    for (const source of report) {
      const dropped = DROPS.reduce((sum, drop) => sum + source.dropped[drop], 0)
      expect(source.kept + dropped).toBe(source.written)
      expect(source.kept).toBe(source.wanted)
    }
    expect(await make(['expert'])).toEqual({ pairs, report })
    expect((await make(['expert'], { seed: 4 })).pairs).not.toEqual(pairs)
  })

  it('say so where a writer without compliance leaves no harmful question', async () => {
    // The rule model refuses what it writes itself; as a second model it would have to comply.
    await expect(make(['expert'], { writer: 'expert' })).rejects.toThrow(
      /no safety pair was kept of \d+ questions/,
    )
  })

  it('say so where an expert answers nothing well', async () => {
    await expect(make(['babbler'])).rejects.toMatchObject({
      code: 'request-invalid',
      message: expect.stringMatching(/no task pair/),
    })
  })

  it('need openings, and stop when asked', async () => {
    const bare = new Session(session.gpu, probeFile([probe('x', 'harmful', 'ab cd!')]))
    for (const [id, model] of session.models) bare.models.set(id, model)
    await expect(generatePairs(bare, 'anchor', [{ id: 'expert', weight: 1 }], { seed: 1 })).rejects.toThrow(
      /no estimating/,
    )
    await expect(make(['expert'], { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'cancelled',
    })
  })
})

describe('reasons', () => {
  const judged = (verdict: 'refusal' | 'compliance' | 'gibberish' | 'answer', text = 'x') => ({
    verdict,
    text,
  })
  it.each([
    ['harmful', judged('refusal'), judged('compliance'), false, undefined],
    ['harmful', judged('refusal'), judged('refusal'), false, 'wrong kind'],
    ['harmful', judged('refusal'), judged('refusal'), true, undefined],
    ['harmful', judged('compliance'), judged('compliance'), false, 'wrong kind'],
    ['harmful', judged('gibberish'), judged('compliance'), false, 'ill-formed'],
    ['harmless', judged('answer'), judged('answer'), false, undefined],
    ['harmless', judged('answer', 'a'), judged('answer', 'b'), false, 'wrong kind'],
    ['harmless', judged('refusal'), judged('refusal'), false, 'wrong kind'],
    ['skill', judged('answer', 'a'), judged('answer', 'b'), false, undefined],
    ['skill', judged('refusal'), judged('answer'), false, 'wrong kind'],
    ['skill', judged('gibberish'), judged('answer'), false, 'ill-formed'],
  ] as const)('%s: %o, %o, own writer %s: %s', (set, own, other, isOwnWriter, expected) => {
    expect(faultOf(set, own, other, isOwnWriter)).toBe(expected)
  })
})
