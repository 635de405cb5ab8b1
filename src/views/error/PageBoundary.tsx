import './error.css'
import { Component, type ErrorInfo, type ReactNode } from 'react'
import { t } from '../../language/translate.ts'
import { noteFault } from '../../state/report/faults.ts'
import { resetSettings } from '../../state/report/reset.ts'
import { CopyReport } from './CopyReport.tsx'

/** The last resort: when the page itself cannot be drawn, what happened and the ways on. */
export class PageBoundary extends Component<{ children: ReactNode }, { error: unknown }> {
  override state = { error: null }

  static getDerivedStateFromError(error: unknown) {
    return { error: error ?? new Error('nothing was thrown') }
  }

  override componentDidCatch(error: unknown, info: ErrorInfo) {
    noteFault('The page', error, info.componentStack ?? '')
  }

  override render() {
    const { error } = this.state
    return error === null ? this.props.children : <ErrorPage error={error} />
  }
}

function ErrorPage({ error }: { error: unknown }) {
  return (
    <main className="notice-page" id="main">
      <h1>{t('The studio has stopped')}</h1>
      <p>
        {t(
          'This is a fault of the studio, not of your models. Models, merges and recipes that were kept are still there, and the recipe is in the address.',
        )}
      </p>
      <p className="muted">{error instanceof Error ? error.message : String(error)}</p>
      <div className="broken-actions">
        <button type="button" className="primary" onClick={() => location.reload()}>
          {t('Reload')}
        </button>
        <button
          type="button"
          title={t('Forgets theme, layout, pinned runs and the recipe in the address; kept models stay')}
          onClick={resetSettings}
        >
          {t('Reset settings')}
        </button>
        <CopyReport />
      </div>
      <p className="muted">
        {t(
          'The report says which adapter and version this is, what was being done and what failed. It holds no weights, prompts, answers, tokens or links.',
        )}
      </p>
    </main>
  )
}
