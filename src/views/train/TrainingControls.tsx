// Start, pause, stop and what is to be done with the result; where it is and how long it will take.

import { t } from '../../language/translate.ts'
import { useStudio } from '../../state/store.ts'
import {
  useAsExpert as addAsExpert,
  discardTraining,
  downloadTrained,
  pauseTraining,
  resumeTraining,
  startTraining,
  stopTraining,
  trainingObstacle,
} from '../../state/training/actions.ts'
import { paceOf, rememberedPace, secondsOf } from '../../state/training/pace.ts'
import { isUnderWay, type TrainingState, useTraining } from '../../state/training/store.ts'

export function TrainingControls() {
  const state = useTraining()
  // Asked anew whenever models, recipe or engine change.
  const obstacle = useStudio(() => trainingObstacle())
  const { phase, steps, activity, failure } = state
  const isBusy = activity !== null
  return (
    <div className="training-controls">
      <div className="training-actions">
        {!isUnderWay(phase) && (
          <button
            type="button"
            className={phase === 'ended' ? undefined : 'primary'}
            disabled={obstacle !== null || isBusy}
            title={obstacle ?? undefined}
            onClick={() => void startTraining()}
          >
            {state.run ? t('Train anew') : t('Train')}
          </button>
        )}
        {phase === 'running' && (
          <button type="button" onClick={pauseTraining}>
            {t('Pause')}
          </button>
        )}
        {phase === 'paused' && (
          <button type="button" className="primary" disabled={isBusy} onClick={() => void resumeTraining()}>
            {t('Go on')}
          </button>
        )}
        {(phase === 'running' || phase === 'paused') && (
          <button type="button" disabled={steps.length === 0 || isBusy} onClick={() => void stopTraining()}>
            {t('Stop here and keep it')}
          </button>
        )}
        {phase === 'ended' && (
          <>
            <button type="button" className="primary" disabled={isBusy} onClick={() => void addAsExpert()}>
              {t('Use as an expert')}
            </button>
            <button type="button" disabled={isBusy} onClick={() => void downloadTrained()}>
              {t('Download it')}
            </button>
          </>
        )}
        {state.run && phase !== 'opening' && (
          <button
            type="button"
            className="quiet-button"
            disabled={isBusy}
            onClick={() => void discardTraining()}
          >
            {t('Discard')}
          </button>
        )}
      </div>
      <Whereabouts state={state} obstacle={obstacle} />
      {failure && (
        <p className="panel-alert" role="alert">
          {failure.message}{' '}
          {failure.code === 'not-finite' && t('A lower learning rate may keep it from diverging.')}
        </p>
      )}
    </div>
  )
}

/** Progress, rate and time left; before the start what it will take. */
function Whereabouts({ state, obstacle }: { state: TrainingState; obstacle: string | null }) {
  const adapter = useStudio(({ models }) =>
    models.engine.kind === 'ready' ? models.engine.info.adapter : '',
  )
  const { run, steps, measures, activity, phase } = state
  const pace = run && paceOf(steps, measures, run.settings)
  if (!run) {
    const { settings, measureEvery } = state
    const before = rememberedPace(adapter)
    const count = Math.floor((settings.steps - 1) / measureEvery) + 2
    return (
      <p className="caption">
        {obstacle ??
          (before
            ? t('About {seconds} s at the pace of the last training on this adapter ({rate} tokens/s).', {
                seconds: Math.ceil(secondsOf(before, settings.steps, settings.batch, count)),
                rate: before.tokensPerSecond.toFixed(0),
              })
            : t('How long it takes depends on the adapter; the first steps tell.'))}
      </p>
    )
  }
  const { settings } = run
  const left = settings.steps - steps.length
  const measuresLeft = Math.ceil(left / run.measureEvery)
  const word =
    activity === 'measuring'
      ? t('measuring the model so far')
      : activity === 'keeping'
        ? t('storing')
        : phase === 'paused'
          ? t('paused')
          : phase === 'ended'
            ? t('ended')
            : phase === 'failed'
              ? t('failed')
              : t('training')
  return (
    <>
      <progress
        className="training-bar"
        max={settings.steps}
        value={steps.length}
        aria-label={t('Steps of the training')}
      />
      <dl className="training-figures">
        <dt>{t('step')}</dt>
        <dd>
          {steps.length} / {settings.steps}, {word}
        </dd>
        <dt>{t('rate')}</dt>
        <dd>{pace ? t('{count} tokens/s', { count: pace.tokensPerSecond.toFixed(0) }) : '–'}</dd>
        <dt>{t('left')}</dt>
        <dd>
          {pace && left > 0 ? `${Math.ceil(secondsOf(pace, left, settings.batch, measuresLeft))} s` : '–'}
        </dd>
        {run.opened?.pairs != null && (
          <>
            <dt>{t('pairs')}</dt>
            <dd>
              {t('{train} trained on, {heldOut} held out', {
                train: run.opened.pairs,
                heldOut: run.opened.heldOut,
              })}
              {run.opened.tooLong > 0 &&
                ` · ${t('{count} too long for the model', { count: run.opened.tooLong })}`}
            </dd>
          </>
        )}
      </dl>
    </>
  )
}
