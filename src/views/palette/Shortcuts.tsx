import { Dialog } from '@base-ui/react/dialog'
import { t } from '../../language/translate.ts'
import { closeDialog } from '../../state/dialogs.ts'
import { shortcutText } from '../app/shortcuts.ts'
import './palette.css'

const rows = (): [keys: string, what: string][] => [
  [shortcutText('K'), t('Commands')],
  [shortcutText('Z'), t('Undo a setting')],
  [`${shortcutText('Z', true)}, ${shortcutText('Y')}`, t('Redo it')],
  [t('← →'), t('On a chart: move the cursor; with Page Up and Page Down to the next measured point')],
  [t('← → on a border'), t('Move the border between two parts')],
  ['Enter', t('On a point of a chart: take its settings')],
  ['Esc', t('Close what is open')],
]

/** Every key that does something here. */
export default function Shortcuts() {
  return (
    <Dialog.Root open onOpenChange={(isOpen) => !isOpen && closeDialog()}>
      <Dialog.Portal>
        <Dialog.Backdrop className="dialog-backdrop" />
        <Dialog.Popup className="dialog-card">
          <Dialog.Title>{t('Keyboard')}</Dialog.Title>
          <dl className="shortcuts">
            {rows().map(([keys, what]) => (
              <div key={what}>
                <dt>
                  <kbd>{keys}</kbd>
                </dt>
                <dd>{what}</dd>
              </div>
            ))}
          </dl>
          <Dialog.Close className="primary">{t('Close')}</Dialog.Close>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  )
}
