// Everything the subspace view shows, from the experiment and what the engine has summed.

import type { MeasuredModules, ModuleCell, ModuleSummary, RowSetName } from '../../../workers/api/probes.ts'
import type { Experiment, GeometrySummary } from '../../../workers/api.ts'
import { isOnCurve } from '../../share/experimentKey.ts'
import { explainedShare } from '../../state/algebra.ts'
import {
  cellNorms,
  cellValues,
  plainCoordinates,
  plainParts,
  type ShieldSettings,
  shieldedCoordinates,
  shieldedParts,
  storedParts,
  sumCells,
} from '../../state/probes/subspace.ts'
import { selectLambda, selectWeights } from '../../state/selectors.ts'

export interface EigenRow {
  direction: number
  value: number
  explained: number
}

/** Directions that can be shielded: the summary may list more eigenvalues. */
export function eigenRows(geometry: GeometrySummary): EigenRow[] {
  const count = Math.min(geometry.eigenvalues.length, geometry.rank)
  return geometry.eigenvalues.slice(0, count).map((value, index) => ({
    direction: index + 1,
    value,
    explained: explainedShare(geometry, index + 1),
  }))
}

export const settingsOf = (experiment: Experiment): ShieldSettings => ({
  weights: selectWeights(experiment),
  lambdaAlign: selectLambda(experiment),
  rank: experiment.rank,
})

export interface ShownCoordinates {
  before: readonly number[]
  /** undefined until it is known */ after: readonly number[] | undefined
}

/** What the numbers of the merge are taken from. */
export interface Found {
  geometry: GeometrySummary
  modules: ModuleSummary | undefined
  /** of the merge as it is stored */
  measured: MeasuredModules | undefined
  /** as it is stored, and not by the closed form */
  isStored: boolean
}

/** Coordinates of the plain average and of the merge that the experiment asks for. */
export function shownCoordinates(
  experiment: Experiment,
  { geometry, modules, measured, isStored }: Found,
  which: RowSetName,
): ShownCoordinates {
  const settings = settingsOf(experiment)
  if (!isStored) return shieldedCoordinates(geometry, modules, which, settings)
  const before = plainCoordinates(geometry, which, settings.weights)
  return { before, after: measured && sumCells(storedParts(measured, which), measured.cells.length) }
}

export interface ShownCells {
  cells: readonly ModuleCell[]
  before: readonly number[]
  after: readonly number[] | undefined
}

/** One number for each cell: of one direction, or of all m together where `direction` is null. */
export function shownCells(
  experiment: Experiment,
  { geometry, modules, measured, isStored }: Found,
  which: RowSetName,
  direction: number | null,
): ShownCells | undefined {
  if (!modules) return undefined
  const settings = settingsOf(experiment)
  const { cells } = modules
  const reduce = (parts: Float64Array) =>
    direction === null
      ? cellNorms(parts, cells.length, experiment.rank)
      : cellValues(parts, cells.length, direction - 1)
  if (!isStored) {
    const { before, after } = shieldedParts(geometry, modules, which, settings)
    return { cells, before: reduce(before), after: reduce(after) }
  }
  return {
    cells,
    before: reduce(plainParts(modules, which, settings.weights)),
    after: measured && reduce(storedParts(measured, which)),
  }
}

/** True where the merge on the page has a rank to be chosen. */
export const hasRank = (experiment: Experiment): boolean =>
  isOnCurve(experiment) || experiment.method === 'alignmerge'
