// Where the tour starts, and how far the reader is.

import { tour } from '../../help/index.ts'
import { t } from '../../language/translate.ts'
import { goToStep, resetTour, restoreOwn, startTour } from '../../state/tour/actions.ts'
import { useTour } from '../../state/tour/store.ts'
import { PlainText } from './HelpText.tsx'

export function TourHome() {
  const { isOpen, read, step, saved } = useTour()
  const hasBegun = read.length > 0
  return (
    <section className="panel" aria-labelledby="tour-home-title">
      <header className="panel-head">
        <h2 id="tour-home-title">{t('A tour in ten minutes')}</h2>
      </header>
      <p className="help-text">
        {t(
          'The text moves the page: every merge it speaks of is made and measured here, with the built-in models. Your own recipe is kept and comes back when you leave.',
        )}
      </p>
      <p className="learn-actions">
        <button type="button" className="primary" disabled={isOpen} onClick={startTour}>
          {hasBegun && step !== '' ? t('Go on with the tour') : t('Start the tour')}
        </button>
        {hasBegun && !isOpen && (
          <button type="button" className="quiet-button" onClick={resetTour}>
            {t('Forget my progress')}
          </button>
        )}
      </p>
      {saved !== null && !isOpen && (
        <p className="learn-notice">
          {t('The tour was closed with the page. Its recipe may still be here.')}{' '}
          <button type="button" className="text-button" onClick={restoreOwn}>
            {t('Bring my own recipe back')}
          </button>
        </p>
      )}
      <ol className="tour-chapters">
        {tour.map(({ id, title, steps }) => (
          <li key={id}>
            <h3>
              <PlainText text={title} />
            </h3>
            <ul>
              {steps.map((one) => (
                <li key={one.id} data-read={read.includes(one.id) || undefined}>
                  <button type="button" className="text-button" onClick={() => goToStep(one.id)}>
                    {t(one.title)}
                  </button>
                  {read.includes(one.id) && <small> {t('read')}</small>}
                </li>
              ))}
            </ul>
          </li>
        ))}
      </ol>
    </section>
  )
}
