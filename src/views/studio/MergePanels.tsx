// What a merge is shown by, on the first page and in a frame: its sweep, clusters and drift beside it, its numbers. Where
// they stand is up to the page; a fault in one leaves the others.

import { t } from '../../language/translate.ts'
import type { Work } from '../app/useWork.ts'
import { ClusterView } from '../clusters/ClusterView.tsx'
import { LayerView } from '../drift/LayerView.tsx'
import { PanelBoundary } from '../error/PanelBoundary.tsx'
import { NumbersView } from '../numbers/NumbersView.tsx'
import { SweepView } from '../sweep/SweepView.tsx'

interface PanelProps {
  work: Work
}

export function SweepPanel({ work: { experiment, cast, geometry, measurements, view } }: PanelProps) {
  return (
    <PanelBoundary name={t('Sweep')}>
      <SweepView
        experiment={experiment}
        anchorId={cast?.anchor.id}
        geometry={geometry}
        measurements={measurements}
        view={view}
      />
    </PanelBoundary>
  )
}

export function SidePanels({ work: { experiment, cast, measurements, view } }: PanelProps) {
  return (
    <div className="charts-side">
      <PanelBoundary name={t('Clusters')}>
        <ClusterView
          experiment={experiment}
          anchorId={cast?.anchor.id}
          measurements={measurements}
          view={view}
        />
      </PanelBoundary>
      <PanelBoundary name={t('Drift by layer')}>
        <LayerView
          experiment={experiment}
          layerCount={cast?.anchor.layerCount ?? 4}
          measurements={measurements}
        />
      </PanelBoundary>
    </div>
  )
}

export function NumbersPanel({ work: { experiment, cast, geometry, measurements, view } }: PanelProps) {
  return (
    <PanelBoundary name={t('Numbers')}>
      <NumbersView
        experiment={experiment}
        cast={cast}
        geometry={geometry}
        measurements={measurements}
        view={view}
      />
    </PanelBoundary>
  )
}
