// Whose points the cluster picture shows, as layers of the plot. One mark for each subject, one colour for each class.

import type { AqiView, ClusterPoints, Experiment, Subject } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import { probeKey } from '../../share/experimentKey.ts'
import type { PinnedRuns } from '../../state/pins/store.ts'
import { currentMerge } from '../../state/plan.ts'
import type { ClusterLayer } from '../charts/clusterLayers.ts'

export const classNames = ['safe', 'unsafe'] as const
export type ClassName = (typeof classNames)[number]

export interface ClusterSource {
  id: 'anchor' | 'a' | 'b' | 'merge'
  name: string
  mark: ClusterLayer['mark']
  points: ClusterPoints
  isGuess: boolean
  /** who answers in its place, and in which experiment */
  experiment: Experiment
  subject: Subject
}

export interface LegendEntry {
  id: string
  label: string
  colour: string
  mark: ClusterLayer['mark']
}

const colours: Record<ClassName, string> = { safe: '--safe', unsafe: '--unsafe' }
const marks: Record<ClusterSource['id'], ClusterLayer['mark']> = {
  anchor: 'ring',
  a: 'diamond',
  b: 'square',
  merge: 'disc',
}

const sourceName = (id: ClusterSource['id']): string => {
  switch (id) {
    case 'anchor':
      return t('anchor')
    case 'merge':
      return t('merge')
    default:
      return t('run {slot}', { slot: id.toUpperCase() })
  }
}

const layerLabel = (name: string, className: ClassName): string =>
  className === 'safe' ? t('{name}, safe', { name }) : t('{name}, unsafe', { name })

export function sourceOf(
  id: ClusterSource['id'],
  experiment: Experiment,
  subject: Subject,
  points: ClusterPoints | undefined,
  isGuess = false,
): ClusterSource[] {
  return points ? [{ id, name: sourceName(id), mark: marks[id], points, isGuess, experiment, subject }] : []
}

/** Pinned runs of the same anchor and probes: others lie in another plane. */
export function pinnedSources(pins: PinnedRuns, experiment: Experiment, view: AqiView): ClusterSource[] {
  return (['a', 'b'] as const).flatMap((slot) => {
    const run = pins[slot]
    if (!run || probeKey(run.experiment) !== probeKey(experiment)) return []
    return sourceOf(slot, run.experiment, currentMerge(run.experiment), run.measurement?.clusters[view])
  })
}

/** Two layers of each source; the layer of class c of source s has the number 2 s + c. */
export const layersOf = (sources: readonly ClusterSource[]): ClusterLayer[] =>
  sources.flatMap(({ id, name, mark, points, isGuess }) =>
    classNames.map((className) => ({
      id: `${id} ${className}`,
      label: layerLabel(name, className),
      points: points[className],
      colour: colours[className],
      ...{ mark, isGuess },
    })),
  )

/** Anchor and merge are always named, so that the legend does not grow when they arrive. */
export function legendOf(sources: readonly ClusterSource[]): LegendEntry[] {
  const ids = new Set<ClusterSource['id']>(['anchor', ...sources.map(({ id }) => id), 'merge'])
  const order = (['anchor', 'merge', 'a', 'b'] as const).filter((id) => ids.has(id))
  return order.flatMap((id) =>
    classNames.map((className) => ({
      id: `${id} ${className}`,
      label: layerLabel(sourceName(id), className),
      colour: colours[className],
      mark: marks[id],
    })),
  )
}
