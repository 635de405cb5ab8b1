// The first page: one merge, with its sweep, its clusters, where it drifts, its numbers and its answers.

import { useStudio } from '../../state/store.ts'
import { GeometryLine } from '../app/GeometryLine.tsx'
import { OpinionView } from '../app/OpinionView.tsx'
import { Split } from '../app/Split.tsx'
import { useWork } from '../app/useWork.ts'
import { ClusterView } from '../clusters/ClusterView.tsx'
import { LayerView } from '../drift/LayerView.tsx'
import { NumbersView } from '../numbers/NumbersView.tsx'
import { PinBar } from '../pins/PinBar.tsx'
import { PromptView } from '../prompt/PromptView.tsx'
import { SweepView } from '../sweep/SweepView.tsx'

export function StudioView() {
  const { experiment, cast, geometry, measurements, view, list, key, isReady } = useWork()
  const answers = useStudio((state) => state.runs.answers)
  const opinions = useStudio((state) => state.runs.opinions)
  const anchorId = cast?.anchor.id
  return (
    <>
      <GeometryLine experiment={experiment} geometry={geometry} />
      <PinBar mergeKey={key} />
      <Split id="charts" className="charts" start={57} minimum={[35, 25]}>
        <SweepView
          experiment={experiment}
          anchorId={anchorId}
          geometry={geometry}
          measurements={measurements}
          view={view}
        />
        <div className="charts-side">
          <ClusterView experiment={experiment} anchorId={anchorId} measurements={measurements} view={view} />
          <LayerView
            experiment={experiment}
            layerCount={cast?.anchor.layerCount ?? 4}
            measurements={measurements}
          />
        </div>
      </Split>
      <NumbersView
        experiment={experiment}
        cast={cast}
        geometry={geometry}
        measurements={measurements}
        view={view}
      />
      {opinions && <OpinionView set={opinions} isCurrent={opinions.mergeKey === key} />}
      <PromptView
        experiment={experiment}
        list={list}
        answers={answers}
        isCurrent={answers?.mergeKey === key}
        isReady={isReady}
      />
    </>
  )
}
