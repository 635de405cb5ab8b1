// An experiment for the tests of sweeps. Never part of the build.

import type { Experiment } from '../../../workers/api.ts'

const ids = ['task-sort', 'task-reverse', 'safety']

export function testExperiment({ weights = [0.5, 0.5] }: { weights?: readonly number[] } = {}): Experiment {
  return {
    method: 'alignmerge',
    parameters: {},
    references: {},
    antidote: 0,
    anchor: { kind: 'built-in', id: 'anchor' },
    experts: weights.map((weight, index) => ({ origin: { kind: 'built-in', id: ids[index]! }, weight })),
    lambdaAlign: 4,
    rank: 8,
    damping: 0.01,
    metric: 'fisher',
    source: 'path',
    fisher: { labels: 'sampled', form: 'sequence' },
    probesPerClass: 64,
    seed: 1,
  }
}
