import { t } from '../../language/translate.ts'
import { redo, undo, useSteps } from '../../state/history.ts'
import { shortcutText } from './shortcuts.ts'

/** Undo and redo of settings; their titles say what. */
export function UndoButtons() {
  const steps = useSteps()
  return (
    <span className="button-pair">
      <button
        type="button"
        className="icon-button"
        disabled={steps.undo === null}
        aria-label={t('Undo')}
        title={
          steps.undo === null
            ? t('Nothing to undo')
            : `${t('Undo: {words}', { words: steps.undo })} (${shortcutText('Z')})`
        }
        onClick={undo}
      >
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d="M5.5 3 2.5 6l3 3M3 6h6.5a4 4 0 0 1 0 8H6" />
        </svg>
      </button>
      <button
        type="button"
        className="icon-button"
        disabled={steps.redo === null}
        aria-label={t('Redo')}
        title={
          steps.redo === null
            ? t('Nothing to do again')
            : `${t('Redo: {words}', { words: steps.redo })} (${shortcutText('Z', true)})`
        }
        onClick={redo}
      >
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d="m10.5 3 3 3-3 3M13 6H6.5a4 4 0 0 0 0 8H10" />
        </svg>
      </button>
    </span>
  )
}
