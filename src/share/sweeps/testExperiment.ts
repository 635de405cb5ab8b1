// An experiment for the tests of sweeps. Never part of the build.

import type { Experiment } from '../../../workers/api.ts'
import { builtIn, builtInExperiment, twoTasks } from '../parameters.ts'

const ids = [...twoTasks, 'safety']

export function testExperiment({ weights = [0.5, 0.5] }: { weights?: readonly number[] } = {}): Experiment {
  return builtInExperiment(ids, {
    experts: weights.map((weight, index) => ({ origin: builtIn(ids[index]!), weight })),
    references: {},
    probesPerClass: 64,
  })
}
