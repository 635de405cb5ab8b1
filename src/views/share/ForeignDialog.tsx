// Before a link makes this page ask other hosts for models: which hosts, for what, and the choice.

import { AlertDialog } from '@base-ui/react/alert-dialog'
import { plural, t } from '../../language/translate.ts'
import { acceptForeign, declineForeign, useForeign } from '../../state/share/foreign.ts'
import './share.css'

export default function ForeignDialog() {
  const models = useForeign((state) => state.models)
  const hosts = [...new Set(models.map(({ host }) => host))]
  return (
    <AlertDialog.Root open={models.length > 0}>
      <AlertDialog.Portal>
        <AlertDialog.Backdrop className="dialog-backdrop" />
        <AlertDialog.Popup className="dialog-card foreign-dialog">
          <AlertDialog.Title>
            {plural(
              hosts.length,
              'This link names models at another address',
              'This link names models at {count} other addresses',
            )}
          </AlertDialog.Title>
          <AlertDialog.Description render={<div />}>
            <p>
              {t(
                'Nothing has been fetched. If you agree, your browser asks these hosts, which then learn your network address:',
              )}
            </p>
            <dl className="foreign-hosts">
              {hosts.map((host) => (
                <div key={host}>
                  <dt>{host}</dt>
                  {models
                    .filter((model) => model.host === host)
                    .map(({ what }) => (
                      <dd key={what}>{what}</dd>
                    ))}
                </div>
              ))}
            </dl>
          </AlertDialog.Description>
          <div className="dialog-actions">
            <button type="button" onClick={declineForeign}>
              {t('Open without them')}
            </button>
            <button type="button" className="primary" onClick={() => void acceptForeign()}>
              {t('Fetch from these hosts')}
            </button>
          </div>
        </AlertDialog.Popup>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  )
}
