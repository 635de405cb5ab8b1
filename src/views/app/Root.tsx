import { useLanguage } from '../../state/preferences.ts'
import { PageBoundary } from '../error/PageBoundary.tsx'
import { App } from './App.tsx'

/** The page in its language: another one draws it anew, so that no text can be left behind. */
export function Root() {
  const language = useLanguage((state) => state.id)
  return (
    <PageBoundary>
      <App key={language} />
    </PageBoundary>
  )
}
