import './site.css'
import { t } from '../../language/translate.ts'
import { keepForOffline } from '../../state/offline/actions.ts'
import { type OfflineStatus, useOffline } from '../../state/offline/store.ts'
import { formatBytes } from '../format.ts'

function wordsOf(status: OfflineStatus): string {
  switch (status.kind) {
    case 'off':
      return t('Not kept for use without a network: {reason}.', { reason: status.reason })
    case 'starting':
      return t('Looking at what is kept for use without a network …')
    case 'ready':
      return t('Ready offline: the studio and its built-in models are kept in this browser, {size}.', {
        size: formatBytes(status.allBytes),
      })
    case 'partial': {
      const sizes = { kept: formatBytes(status.keptBytes), all: formatBytes(status.allBytes) }
      if (status.failure !== null)
        return t('{kept} of {all} are kept for use without a network, then: {failure}', {
          ...sizes,
          failure: status.failure,
        })
      return status.isFilling
        ? t('Getting ready for use without a network: {kept} of {all}', sizes)
        : t('{kept} of {all} are kept for use without a network.', sizes)
    }
  }
}

/** Whether the next visit works without a network. */
export function OfflineLine() {
  const status = useOffline((state) => state.status)
  const canFill = status.kind === 'partial' && !status.isFilling
  return (
    <p className="offline-line" data-offline={status.kind}>
      <span className="lamp" aria-hidden="true" />
      <span>{wordsOf(status)}</span>
      {canFill && (
        <button type="button" className="quiet-button" onClick={keepForOffline}>
          {t('Keep all')}
        </button>
      )}
    </p>
  )
}
