// Runs A and B in one line: what they are, and how to keep, restore, swap and drop them. Its height never changes.

import { t } from '../../language/translate.ts'
import { pinCurrent, restorePin, swapPins, unpin } from '../../state/pins/actions.ts'
import { type PinnedRun, type PinSlot, usePins } from '../../state/pins/store.ts'
import { useStudio } from '../../state/store.ts'
import './pins.css'

export function PinBar({ mergeKey }: { mergeKey: string }) {
  const pins = usePins()
  const isReady = useStudio((state) => state.recipe.experiment !== null)
  return (
    <section className="pin-bar" aria-label={t('Pinned runs')}>
      <Pin slot="a" run={pins.a} isCurrent={pins.a?.mergeKey === mergeKey} isReady={isReady} />
      <button
        type="button"
        className="icon-button"
        disabled={!pins.a && !pins.b}
        aria-label={t('Swap A and B')}
        title={t('Swap A and B')}
        onClick={swapPins}
      >
        ⇄
      </button>
      <Pin slot="b" run={pins.b} isCurrent={pins.b?.mergeKey === mergeKey} isReady={isReady} />
    </section>
  )
}

interface PinProps {
  slot: PinSlot
  run: PinnedRun | null
  /** it is the recipe now */
  isCurrent: boolean
  isReady: boolean
}

function Pin({ slot, run, isCurrent, isReady }: PinProps) {
  const letter = slot.toUpperCase()
  return (
    <div className="pin" data-slot={slot}>
      <span className="pin-letter" data-empty={!run || undefined} aria-hidden="true">
        {letter}
      </span>
      {run ? (
        <>
          <button
            type="button"
            className="pin-label"
            aria-label={t('Restore {slot}: {run}', { slot: letter, run: run.label })}
            title={run.label}
            aria-current={isCurrent || undefined}
            onClick={() => restorePin(slot)}
          >
            {run.label}
          </button>
          <button
            type="button"
            className="icon-button"
            aria-label={t('Unpin {slot}', { slot: letter })}
            title={t('Unpin {slot}', { slot: letter })}
            onClick={() => unpin(slot)}
          >
            ×
          </button>
        </>
      ) : (
        <span className="pin-label muted">{t('nothing pinned')}</span>
      )}
      <button
        type="button"
        className="quiet-button"
        disabled={!isReady || isCurrent}
        onClick={() => pinCurrent(slot)}
      >
        {t('Pin as {slot}', { slot: letter })}
      </button>
    </div>
  )
}
