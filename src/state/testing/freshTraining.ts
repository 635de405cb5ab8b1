// A studio in a test with nothing trained in it.

import { beforeEach } from 'vitest'
import type { TrainedOrigin } from '../../../workers/api/training.ts'
import { initialTraining, useTraining } from '../training/store.ts'
import { resetStudio } from './freshStudio.ts'

/** A fresh store, fake timers and no training for every test of the file. */
export function resetTraining(): void {
  resetStudio()
  beforeEach(() => useTraining.setState(initialTraining(), true))
}

/** A model that a link names by how it was trained. */
export const trained: TrainedOrigin = {
  ...{ kind: 'trained', base: 'anchor', lesson: 'sort', steps: 100 },
  ...{ rate: 2.5e-3, batch: 32, seed: 1 },
}
