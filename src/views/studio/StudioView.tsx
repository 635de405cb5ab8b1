// The first page: one merge, with its sweep, its clusters, where it drifts, its numbers and its answers.

import { lazy, Suspense } from 'react'
import { t } from '../../language/translate.ts'
import { useStudio } from '../../state/store.ts'
import { useTour } from '../../state/tour/store.ts'
import { GeometryLine } from '../app/GeometryLine.tsx'
import { ProbesNotice } from '../app/ProbesNotice.tsx'
import { Split } from '../app/Split.tsx'
import { useMediaQuery, wideQuery } from '../app/useMediaQuery.ts'
import { useWithoutLambda } from '../app/useWithoutLambda.ts'
import { useWork } from '../app/useWork.ts'
import { PanelBoundary } from '../error/PanelBoundary.tsx'
import { PinBar } from '../pins/PinBar.tsx'
import { PromptView } from '../prompt/PromptView.tsx'
import { SubspaceView } from '../subspace/SubspaceView.tsx'
import { NumbersPanel, SidePanels, SweepPanel } from './MergePanels.tsx'

const OpinionView = lazy(() => import('../app/OpinionView.tsx').then((it) => ({ default: it.OpinionView })))

export function StudioView() {
  const work = useWork()
  const { experiment, geometry, list, key, isReady } = work
  const answers = useStudio((state) => state.runs.answers)
  const opinions = useStudio((state) => state.runs.opinions)
  // The tour takes a part of the width.
  const isTouring = useTour((state) => state.isOpen)
  const still = useWithoutLambda(experiment)
  // On a phone its seven figures would push the pictures out of sight.
  const isNarrow = !useMediaQuery(wideQuery)
  const geometryLine = <GeometryLine experiment={still} geometry={geometry} />
  return (
    <>
      {!isNarrow && geometryLine}
      <PinBar mergeKey={key} />
      <ProbesNotice />
      <Split id="charts" className="charts" start={57} minimum={[35, 25]} from={isTouring ? 1640 : 1181}>
        <SweepPanel work={work} />
        <SidePanels work={work} />
      </Split>
      {isNarrow && geometryLine}
      <PanelBoundary name={t('Alignment subspace')}>
        <SubspaceView experiment={experiment} geometry={geometry} />
      </PanelBoundary>
      <NumbersPanel work={work} />
      {opinions && (
        <Suspense fallback={null}>
          <OpinionView set={opinions} isCurrent={opinions.mergeKey === key} />
        </Suspense>
      )}
      <PanelBoundary name={t('Answers')}>
        <PromptView
          experiment={still}
          list={list}
          answers={answers}
          isCurrent={answers?.mergeKey === key}
          isReady={isReady}
        />
      </PanelBoundary>
    </>
  )
}
