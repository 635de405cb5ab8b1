// What a session computes once and what it computes anew, what closing frees, and what it refuses.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ALIGN_SETUP, alignProbeFile } from '../../testing/alignSession.ts'
import { watchBuffers } from '../../testing/liveBuffers.ts'
import { nearCheckpoint } from '../../testing/nearCheckpoint.ts'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import { flatWeights } from '../../testing/tinyMerge.ts'
import { relativeError } from '../../testing/tinyModels.ts'
import type { Gpu } from '../gpu/device.ts'
import { measureDrift, solve } from './geometry.ts'
import { Measures } from './measures.ts'
import { type GradientSource, type JobOptions, Session, type Setup } from './session.ts'

const PROBES = alignProbeFile(80)

const SETUP: Setup = {
  ...ALIGN_SETUP,
  experts: [
    { id: 'one', weight: 3 },
    { id: 'two', weight: 1 },
  ],
}

let gpu: Gpu
let session: Session
beforeAll(async () => {
  gpu = await openTestDevice()
  session = new Session(gpu, PROBES)
  await session.load('anchor', await nearCheckpoint(1, 0.03))
})
beforeEach(async () => {
  if (!session.models.has('one')) await session.load('one', await nearCheckpoint(2, 0.03))
  if (!session.models.has('two')) await session.load('two', await nearCheckpoint(3, 0.03))
})
afterAll(() => {
  session?.dispose()
  gpu?.close()
})

describe('what is kept', () => {
  test('another seed leaves nothing on the device once two others have come', async () => {
    const buffers = watchBuffers(gpu)
    const held: number[] = []
    for (let seed = 100; seed < 106; seed++) {
      await session.prepare({ ...SETUP, seed })
      held.push(buffers.made().length)
    }
    buffers.stop()
    // The first ones are of seeds that came before.
    expect(held[5]).toBe(held[3])
    expect(held[4]).toBe(held[3])
    await session.prepare(SETUP)
  })

  test('λ, rank, weights and method enter no geometry', async () => {
    const first = await session.prepare(SETUP)
    const other = {
      ...SETUP,
      lambdaAlign: 2,
      rank: 1,
      method: 'linear',
      experts: SETUP.experts.map(({ id }) => ({ id, weight: 1 })),
    }
    expect(await session.prepare(other)).toBe(first)
  })

  test.each<[string, Partial<Setup>]>([
    ['damping', { damping: 1 }],
    ['metric', { metric: 'identity' }],
    ['source', { source: 'unwanted' }],
    ['seed', { seed: 2 }],
    ['labels', { fisher: { labels: 'data', form: 'sequence' } }],
    ['order of experts', { experts: [...SETUP.experts].reverse() }],
  ])('another %s gives another geometry', async (_, change) => {
    const first = await session.prepare(SETUP)
    const kernel = first.bases.own.spectrum.slice()
    const changed = await session.prepare({ ...SETUP, ...change })
    expect(changed).not.toBe(first)
    if (!('experts' in change)) expect(changed.bases.own.spectrum).not.toEqual(kernel)
  })

  test('Fisher and rows are computed once for each of their own settings', async () => {
    expect(await session.fisher('anchor', SETUP.fisher, 1)).toBe(
      await session.fisher('anchor', SETUP.fisher, 1),
    )
    expect(await session.fisher('one', SETUP.fisher, 1)).not.toBe(
      await session.fisher('anchor', SETUP.fisher, 1),
    )
    const rows = (source: GradientSource, split: 'estimate' | 'heldout') =>
      session.alignmentRows('anchor', source, split, 1)
    expect(await rows('unwanted', 'estimate')).toBe(await rows('unwanted', 'estimate'))
    expect(await rows('unwanted', 'heldout')).not.toBe(await rows('unwanted', 'estimate'))
    expect(await rows('margin', 'estimate')).not.toBe(await rows('unwanted', 'estimate'))
  })

  test('closing a model drops what came from it and nothing else', async () => {
    const anchorFisher = await session.fisher('anchor', SETUP.fisher, 1)
    const own = await session.fisher('one', SETUP.fisher, 1)
    const path = await session.alignmentRows('anchor', 'path', 'estimate', 1, {}, ['one', 'two'])
    const margin = await session.alignmentRows('anchor', 'margin', 'estimate', 1)
    const geometry = await session.prepare(SETUP)
    session.close('one')
    expect(() => session.get('one')).toThrow(/one is not open/)
    await session.load('one', await nearCheckpoint(2, 0.03))
    expect(await session.fisher('anchor', SETUP.fisher, 1)).toBe(anchorFisher)
    expect(await session.fisher('one', SETUP.fisher, 1)).not.toBe(own)
    expect(await session.alignmentRows('anchor', 'margin', 'estimate', 1)).toBe(margin)
    expect(await session.alignmentRows('anchor', 'path', 'estimate', 1, {}, ['one', 'two'])).not.toBe(path)
    expect(await session.prepare(SETUP)).not.toBe(geometry)
  })
})

describe('merging', () => {
  test('at λ_align 0 AlignMerge is the plain average bit for bit', async () => {
    const plain = await flatWeights(await session.merge({ ...SETUP, method: 'linear' }))
    const zero = await flatWeights(await session.merge({ ...SETUP, lambdaAlign: 0 }))
    expect(zero).toEqual(plain)
    const parts = [await flatWeights(session.get('one').model), await flatWeights(session.get('two').model)]
    expect(
      relativeError(
        plain,
        parts[0].map((value, j) => 0.75 * value + 0.25 * parts[1][j]),
      ),
    ).toBeLessThan(1e-6)
  })

  test.each<GradientSource>(['unwanted', 'margin', 'aqi', 'path'])(
    'by %s the drift of the merge is that of the closed form',
    async (source) => {
      const setup = { ...SETUP, source }
      const merged = await session.merge(setup)
      const geometry = await session.prepare(setup)
      const solution = solve(geometry, [0.75, 0.25], setup.lambdaAlign, setup.rank)
      const drift = await measureDrift(geometry, merged, setup.rank)
      expect(solution.driftBefore / solution.drift).toBeCloseTo(1 + setup.lambdaAlign, 6)
      expect(drift.own / solution.drift).toBeCloseTo(1, 2)
      expect(drift.total / solution.total).toBeCloseTo(1, 4)
      expect(await new Measures(session).drift(setup, merged)).toEqual(drift)
    },
  )

  test('the control source is another one than that of the shield', async () => {
    const { input } = await session.prepare(SETUP)
    expect(input.rows.other).toBe(await session.alignmentRows('anchor', 'aqi', 'heldout', 1))
    const aqi = await session.prepare({ ...SETUP, source: 'aqi' })
    expect(aqi.input.rows.other).toBe(await session.alignmentRows('anchor', 'unwanted', 'heldout', 1))
    expect(aqi.input.rows.heldOut).toBe(await session.alignmentRows('anchor', 'aqi', 'heldout', 1))
  })

  test('the Fisher soup uses each expert’s own Fisher', async () => {
    const soup = await flatWeights(await session.merge({ ...SETUP, method: 'fisher_average' }))
    const plain = await flatWeights(await session.merge({ ...SETUP, method: 'linear' }))
    expect(relativeError(soup, plain)).toBeGreaterThan(1e-4)
  })

  test('metric and fast form are compared with the exact Fisher by ranks', async () => {
    const { metric, fastForm } = await session.metricChecks(SETUP)
    // Damping moves every weight alike and leaves the order.
    expect(metric).toBeCloseTo(1, 3)
    expect(fastForm).toBeGreaterThan(0.3)
    const identity = await session.metricChecks({ ...SETUP, metric: 'identity' })
    expect(typeof identity.metric).toBe('string')
  })
})

describe('refusals', () => {
  test('an expert that is not open, and none at all', async () => {
    const missing = { ...SETUP, experts: [{ id: 'three', weight: 1 }] }
    await expect(session.merge(missing)).rejects.toThrow(/three is not open/)
    await expect(session.prepare({ ...SETUP, experts: [] })).rejects.toMatchObject({
      code: 'request-invalid',
    })
  })

  test('models of other shapes', async () => {
    await session.load('wide', await nearCheckpoint(4, 0.03, { change: { intermediate_size: 16 } }))
    const setup = { ...SETUP, experts: [{ id: 'wide', weight: 1 }] }
    await expect(session.merge(setup)).rejects.toMatchObject({ code: 'shape-mismatch' })
    session.close('wide')
  })

  test('unknown methods, weights below zero', async () => {
    await expect(session.merge({ ...SETUP, method: 'souffle' })).rejects.toMatchObject({
      code: 'request-invalid',
    })
    const negative = { ...SETUP, experts: [{ id: 'one', weight: -1 }] }
    await expect(session.merge(negative)).rejects.toThrow(/none negative/)
  })

  test('a merge that is stopped anywhere holds no scratch buffer', async () => {
    // One round: geometry, its closed form, gradients at the merge, their rows appended, norms in the chart.
    const work = (seed: number, options: JobOptions) =>
      session.merge({ ...SETUP, seed, source: 'path', parameters: { rounds: 1 } }, options)
    const labels: string[] = []
    await work(101, { onProgress: (label) => labels.push(label) })
    // The first report of each kind of work, one amid it, and its last.
    const kinds = [...new Set(labels)].flatMap((label) => {
      const [first, last] = [labels.indexOf(label), labels.lastIndexOf(label)]
      return [first, (first + last) >> 1, last]
    })
    const live = watchBuffers(gpu)
    const held: string[] = []
    for (const [i, at] of [...new Set(kinds)].entries()) {
      const abort = new AbortController()
      let reports = 0
      const attempt = work(102 + i, {
        signal: abort.signal,
        onProgress: () => {
          if (reports++ === at) abort.abort()
        },
      })
      await attempt.catch((error: unknown) => expect(error).toMatchObject({ code: 'cancelled' }))
      if (live.taken() !== 0) held.push(`${live.taken()} after ${labels[at]}, report ${at}`)
    }
    live.stop()
    expect(new Set(labels).size).toBeGreaterThan(2)
    expect(held).toEqual([])
  })

  test('a raised signal stops, and the next call starts anew', async () => {
    const setup = { ...SETUP, seed: 77 }
    await expect(session.prepare(setup, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'cancelled',
    })
    expect((await session.prepare(setup)).bases.own.rank).toBeGreaterThan(0)
  })
})
