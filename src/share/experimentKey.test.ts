import { describe, expect, it } from 'vitest'
import type { Experiment } from '../../workers/api.ts'
import { curveKey, geometryKey, measurementKey, mergeKey, mergeLambda, probeKey } from './experimentKey.ts'

const experiment: Experiment = {
  method: 'alignmerge',
  parameters: {},
  references: {},
  antidote: 0,
  anchor: { kind: 'built-in', id: 'anchor' },
  experts: [
    { origin: { kind: 'built-in', id: 'a' }, weight: 0.5 },
    { origin: { kind: 'files', name: 'b', digest: '0'.repeat(64) }, weight: 0.5 },
  ],
  lambdaAlign: 4,
  rank: 8,
  damping: 0.01,
  metric: 'fisher',
  source: 'unwanted',
  fisher: { labels: 'sampled', form: 'sequence' },
  probesPerClass: 128,
  seed: 1,
}

/** Which of the four keys a change alters. */
function altered(change: Partial<Experiment>): string {
  const other = { ...experiment, ...change }
  return Object.entries({ probeKey, geometryKey, curveKey, mergeKey })
    .filter(([, key]) => key(experiment) !== key(other))
    .map(([name]) => name.replace('Key', ''))
    .join(' ')
}

describe('keys', () => {
  it('change with what determines the number and nothing else', () => {
    const [first, second] = experiment.experts
    expect(altered({})).toBe('')
    expect(altered({ lambdaAlign: 8 })).toBe('merge')
    const probes = { name: 'mine', digest: '1'.repeat(64) }
    expect(altered({ probes })).toBe('probe geometry curve merge')
    expect(probeKey({ ...experiment, probes })).not.toBe(
      probeKey({ ...experiment, probes: { ...probes, digest: '2'.repeat(64) } }),
    )
    expect(probeKey({ ...experiment, probes })).toBe(
      probeKey({ ...experiment, probes: { ...probes, name: 'yours' } }),
    )
    expect(altered({ rank: 7 })).toBe('curve merge')
    expect(altered({ experts: [{ ...first!, weight: 0.4 }, second!] })).toBe('curve merge')
    expect(altered({ method: 'fisher_average' })).toBe('curve merge')
    expect(altered({ damping: 0.02 })).toBe('geometry curve merge')
    expect(altered({ experts: [first!] })).toBe('geometry curve merge')
    expect(altered({ probesPerClass: 64 })).toBe('probe geometry curve merge')
    expect(altered({ anchor: { kind: 'built-in', id: 'other' } })).toBe('probe geometry curve merge')
  })

  it('do not see the scale of the weights or the name of a folder', () => {
    const doubled = experiment.experts.map((expert) => ({ ...expert, weight: expert.weight * 2 }))
    expect(altered({ experts: doubled })).toBe('')
    const renamed = structuredClone(experiment.experts)
    renamed[1]!.origin = { kind: 'files', name: 'renamed', digest: '0'.repeat(64) }
    expect(altered({ experts: renamed })).toBe('')
  })

  it('take the average for AlignMerge without shield', () => {
    const average: Experiment = { ...experiment, method: 'linear' }
    expect(mergeKey(average)).toBe(mergeKey({ ...experiment, lambdaAlign: 0 }))
    expect(mergeLambda(average)).toBe(0)
  })

  it('of measurements follow the subject', () => {
    expect(measurementKey(experiment, { kind: 'model', id: 'a' })).toBe(probeKey(experiment))
    expect(measurementKey(experiment, { kind: 'merge', lambdaAlign: 16 })).toBe(curveKey(experiment))
  })
})
