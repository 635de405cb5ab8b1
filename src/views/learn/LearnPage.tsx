// Learn: the tour, the toy, the glossary, what methods and measures are, exercises for a class, and breaking a model
// oneself.

import { type ComponentType, lazy, Suspense, useEffect } from 'react'
import { t } from '../../language/translate.ts'
import { showSection } from '../../state/learn/actions.ts'
import { type Section, useLearn } from '../../state/learn/store.ts'
import { loadTour } from '../../state/tour/actions.ts'
import { TourHome } from './TourHome.tsx'
import './learn.css'

interface SectionRow {
  id: Section
  /** English; shown through t() */
  label: string
  View: ComponentType
}

const rows: readonly SectionRow[] = [
  { id: 'tour', label: 'Tour', View: TourHome },
  { id: 'toy', label: 'Fisher toy', View: lazy(() => import('./FisherToy.tsx')) },
  { id: 'methods', label: 'Methods', View: lazy(() => import('./MethodCards.tsx')) },
  { id: 'measures', label: 'Measures', View: lazy(() => import('./MeasureCards.tsx')) },
  { id: 'glossary', label: 'Glossary', View: lazy(() => import('./GlossaryView.tsx')) },
  { id: 'train', label: 'Break it yourself', View: lazy(() => import('../train/BreakItYourself.tsx')) },
  { id: 'teacher', label: 'For teachers', View: lazy(() => import('./TeacherView.tsx')) },
]

export default function LearnPage() {
  const section = useLearn((state) => state.section)
  useEffect(loadTour, [])
  const { View } = rows.find(({ id }) => id === section) ?? rows[0]!
  return (
    <div className="learn">
      <nav className="learn-nav" aria-label={t('Parts of this page')}>
        {rows.map(({ id, label }) => (
          <button
            key={id}
            type="button"
            aria-current={id === section ? 'true' : undefined}
            onClick={() => showSection(id)}
          >
            {t(label)}
          </button>
        ))}
      </nav>
      <Suspense fallback={<p className="stage-wait muted">{t('Opening …')}</p>}>
        <View />
      </Suspense>
    </div>
  )
}
