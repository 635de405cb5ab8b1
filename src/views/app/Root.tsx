import { lazy, Suspense } from 'react'
import { useLanguage } from '../../state/preferences.ts'
import { usePresentation } from '../../state/share/presentation.ts'
import { PageBoundary } from '../error/PageBoundary.tsx'
import { App } from './App.tsx'

const EmbedPage = lazy(() => import('../share/EmbedPage.tsx'))

/** The page in its language: another one draws it anew, so that no text can be left behind. */
export function Root() {
  const language = useLanguage((state) => state.id)
  const isEmbed = usePresentation((state) => state.isEmbed)
  return (
    <PageBoundary>
      {isEmbed ? (
        <Suspense>
          <EmbedPage key={language} />
        </Suspense>
      ) : (
        <App key={language} />
      )}
    </PageBoundary>
  )
}
