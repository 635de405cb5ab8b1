// The alignment subspace: how many directions count, how far the merge goes along each before and after the shield, and
// where in the network. Its pictures are loaded when they come into sight.

import { lazy, Suspense, useEffect, useRef, useState } from 'react'
import type { Experiment, GeometrySummary } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import { useStudio } from '../../state/store.ts'
import { TableToggle } from '../controls/TableToggle.tsx'

const SubspaceBody = lazy(() => import('./SubspaceBody.tsx'))
/** Kept free for what comes. */
const bodyHeight = 340

export interface SubspaceViewProps {
  experiment: Experiment
  geometry: GeometrySummary | undefined
}

export function SubspaceView({ experiment, geometry }: SubspaceViewProps) {
  const [frame, isSeen] = useSeen()
  const isTable = useStudio((state) => state.view.asTable.subspace)
  const room = <div style={{ minHeight: bodyHeight }} />
  return (
    <section ref={frame} className="panel subspace" aria-labelledby="subspace-title">
      <header className="panel-head">
        <h2 id="subspace-title">{t('Alignment subspace')}</h2>
        <TableToggle chart="subspace" isTable={isTable} />
      </header>
      {isSeen ? (
        <Suspense fallback={room}>
          <SubspaceBody experiment={experiment} geometry={geometry} isTable={isTable} />
        </Suspense>
      ) : (
        room
      )}
    </section>
  )
}

/** True once the element has been near the window. */
function useSeen() {
  const ref = useRef<HTMLElement>(null)
  const [isSeen, setSeen] = useState(false)
  useEffect(() => {
    const element = ref.current
    if (!element || isSeen) return
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) setSeen(true)
      },
      { rootMargin: '200px' },
    )
    observer.observe(element)
    return () => observer.disconnect()
  }, [isSeen])
  return [ref, isSeen] as const
}
