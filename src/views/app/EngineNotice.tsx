// What stands over or in place of the work: no WebGPU, no engine at all, a device that was lost.

import { lazy, Suspense } from 'react'
import { t } from '../../language/translate.ts'
import { computeOnCpu, reopenEngine } from '../../state/actions/start.ts'
import type { EngineStatus } from '../../state/slices/models.ts'
import { useStudio } from '../../state/store.ts'
import { CopyReport } from '../error/CopyReport.tsx'

const WithoutGpuNotice = lazy(() => import('./WithoutGpuNotice.tsx'))
const WebGpuHelp = lazy(() => import('./WebGpuHelp.tsx'))

/** Losses after which the page offers to do without the device. */
const MANY_LOSSES = 2

/** A whole page: nothing can compute here, and what to do about it. */
export function NoWebGpu({ reason }: { reason: string }) {
  return (
    <main className="notice-page" id="main">
      <h2>{t('This browser gives the page no WebGPU')}</h2>
      <p>{t('The engine that does without it could not be opened either.')}</p>
      <Suspense>
        <WebGpuHelp reason="" />
      </Suspense>
      <p className="muted">{t('The browser’s answer: {reason}', { reason })}</p>
      <div className="notice-actions">
        <button type="button" className="primary" onClick={() => void reopenEngine()}>
          {t('Try again')}
        </button>
        <CopyReport />
      </div>
    </main>
  )
}

/** Across the page: the engine has gone, the results have not; or it does without WebGPU. */
export function EngineBanner({ engine }: { engine: EngineStatus }) {
  const withoutGpu = useStudio((state) => state.models.withoutGpu)
  const losses = useStudio((state) => state.models.losses)
  if (engine.kind === 'ready' && engine.info.isCpu)
    return (
      <Suspense>
        <WithoutGpuNotice reason={withoutGpu ?? ''} />
      </Suspense>
    )
  if (engine.kind !== 'lost' && engine.kind !== 'failed') return null
  const reason = engine.kind === 'lost' ? engine.reason : engine.failure.message
  const offersCpu = withoutGpu === null && (engine.kind === 'failed' || losses >= MANY_LOSSES)
  return (
    <div className="engine-banner" role="alert">
      <p>
        <b>
          {engine.kind === 'lost' ? t('The graphics device was lost.') : t('The engine could not be opened.')}
        </b>{' '}
        {reason} {t('What has been measured stays on the page.')}
      </p>
      <div className="notice-actions">
        <button type="button" className="primary" onClick={() => void reopenEngine()}>
          {t('Reopen the engine')}
        </button>
        {offersCpu && (
          <button
            type="button"
            title={t('The built-in models are merged and measured without a graphics device')}
            onClick={() => void computeOnCpu(true)}
          >
            {t('Use the CPU instead')}
          </button>
        )}
        <CopyReport />
      </div>
    </div>
  )
}
