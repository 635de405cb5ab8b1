import type { Experiment } from '../../../workers/api.ts'
import { builtIn, equalParts, experimentWith } from '../../share/parameters.ts'

/** Stands in while the models are being read, so that every control and axis has its place from the start. */
export const placeholderExperiment: Experiment = experimentWith({
  references: {},
  anchor: builtIn('reading …'),
  experts: equalParts([builtIn('reading … '), builtIn('reading …  ')]),
})
