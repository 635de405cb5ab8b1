import './error.css'
import { Component, type ErrorInfo, type ReactNode } from 'react'
import { t } from '../../language/translate.ts'
import { isMissingPart, noteFault } from '../../state/report/faults.ts'
import { CopyReport } from './CopyReport.tsx'

interface Props {
  /** of what it holds, in the page's language */
  name: string
  children: ReactNode
}

/** Keeps a fault within one panel: the rest of the page goes on. */
export class PanelBoundary extends Component<Props, { error: unknown }> {
  override state = { error: null }

  static getDerivedStateFromError(error: unknown) {
    return { error: error ?? new Error('nothing was thrown') }
  }

  override componentDidCatch(error: unknown, info: ErrorInfo) {
    noteFault(this.props.name, error, info.componentStack ?? '')
  }

  override render() {
    const { error } = this.state
    if (error === null) return this.props.children
    return <BrokenPanel name={this.props.name} error={error} onRetry={() => this.setState({ error: null })} />
  }
}

function BrokenPanel({ name, error, onRetry }: { name: string; error: unknown; onRetry: () => void }) {
  const isMissing = isMissingPart(error)
  return (
    <section className="panel broken-panel" role="alert" aria-label={t('{name} cannot be shown', { name })}>
      <h2>{t('{name} cannot be shown', { name })}</h2>
      <p>
        {isMissing
          ? t('A part of the page did not arrive: the network is gone, or a newer version has replaced it.')
          : t('This is a fault of the studio. The rest of the page goes on.')}
      </p>
      <p className="muted">{error instanceof Error ? error.message : String(error)}</p>
      <div className="broken-actions">
        <button
          type="button"
          className="primary"
          // A part that failed to load is not asked for again within one visit.
          onClick={() => (isMissing ? location.reload() : onRetry())}
        >
          {isMissing ? t('Reload the page') : t('Show it again')}
        </button>
        <CopyReport />
      </div>
    </section>
  )
}
