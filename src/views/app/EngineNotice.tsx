// What stands over or in place of the work: no WebGPU, no engine at all, a device that was lost.

import { lazy, Suspense } from 'react'
import { t } from '../../language/translate.ts'
import { computeOnCpu, reopenEngine } from '../../state/actions/start.ts'
import { setPage } from '../../state/actions/view.ts'
import { useHidden } from '../../state/share/presentation.ts'
import type { EngineStatus } from '../../state/slices/models.ts'
import { useStudio } from '../../state/store.ts'
import { CopyReport } from '../error/CopyReport.tsx'
import { pages } from '../pages.ts'

const WithoutGpuNotice = lazy(() => import('./WithoutGpuNotice.tsx'))
const WebGpuHelp = lazy(() => import('./WebGpuHelp.tsx'))

/** Losses after which the page offers to do without the device. */
const MANY_LOSSES = 2

/** In place of a page that is of no use without an engine: what to do about it, and which pages do without. */
export function NoWebGpu({ reason }: { reason: string }) {
  const hidden = useHidden()
  const others = pages.filter(({ id, needsEngine }) => !needsEngine && !hidden.has(id))
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
      {others.length > 0 && (
        <>
          <h3>{t('Pages that open without it')}</h3>
          <ul className="notice-pages">
            {others.map(({ id, label, title }) => (
              <li key={id}>
                <button type="button" className="text-button" onClick={() => setPage(id)}>
                  {t(label)}
                </button>
                : {t(title)}
              </li>
            ))}
          </ul>
        </>
      )}
    </main>
  )
}

/** Across the page: the engine has gone, the results have not; or it does without WebGPU. */
export function EngineBanner({ engine }: { engine: EngineStatus }) {
  const withoutGpu = useStudio((state) => state.models.withoutGpu)
  const losses = useStudio((state) => state.models.losses)
  const hasCpu = engine.kind === 'ready' && engine.info.isCpu === true
  if (hasCpu || engine.kind === 'unsupported')
    return (
      <Suspense>
        <WithoutGpuNotice
          reason={engine.kind === 'unsupported' ? engine.reason : (withoutGpu ?? '')}
          hasCpu={hasCpu}
        />
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
