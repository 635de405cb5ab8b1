import { lazy, Suspense, useState } from 'react'
import { t } from '../../language/translate.ts'

const AboutBody = lazy(() => import('../site/AboutBody.tsx'))

/** Folded away, and not loaded, until somebody asks. */
export function AboutView() {
  const [isOpened, setIsOpened] = useState(false)
  return (
    <details className="panel about" onToggle={(event) => event.currentTarget.open && setIsOpened(true)}>
      <summary>{t('What the numbers mean, and what is ours')}</summary>
      {isOpened && (
        <Suspense fallback={<p className="muted">{t('Opening …')}</p>}>
          <AboutBody />
        </Suspense>
      )}
    </details>
  )
}
