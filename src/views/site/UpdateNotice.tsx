import './site.css'
import { t } from '../../language/translate.ts'
import { takeUpdate } from '../../state/offline/actions.ts'
import { useOffline } from '../../state/offline/store.ts'

/** A newer version has arrived. Nothing changes before the user says so. */
export function UpdateNotice() {
  const update = useOffline((state) => state.update)
  if (update === 'none') return null
  return (
    <aside className="update-notice" role="status" aria-label={t('New version')}>
      <p>
        <b>
          {update === 'runs-elsewhere' ? t('Another tab runs a new version.') : t('A new version is here.')}
        </b>{' '}
        {t('The recipe is in the address and stays; what was measured is measured again.')}
      </p>
      <button type="button" className="primary" disabled={update === 'comes'} onClick={takeUpdate}>
        {update === 'comes' ? t('Reloading …') : t('Reload')}
      </button>
    </aside>
  )
}
