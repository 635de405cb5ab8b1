// A calm line at the top of every page where there is no WebGPU: what works, what does not, what to do about it. The
// processor computes instead, or nothing does.

import { t } from '../../language/translate.ts'
import { computeOnCpu } from '../../state/actions/start.ts'
import { everythingMissing } from '../../state/needs.ts'
import WebGpuHelp from './WebGpuHelp.tsx'
import './withoutGpu.css'

export interface WithoutGpuNoticeProps {
  /** the browser's words */
  reason: string
  /** there is an engine that does without */
  hasCpu: boolean
}

export default function WithoutGpuNotice({ reason, hasCpu }: WithoutGpuNoticeProps) {
  return (
    <section className="without-gpu" aria-label={t('No WebGPU')}>
      <p>
        <b>
          {hasCpu
            ? t('No WebGPU: the processor computes.')
            : t('No WebGPU, and nothing else that computes here.')}
        </b>{' '}
        {hasCpu
          ? t(
              'The built-in models are merged and measured here all the same, and results that came with a link or a lesson are shown.',
            )
          : t(
              'What needs no engine works all the same, and results that came with a link or a lesson are shown.',
            )}
      </p>
      <div className="without-gpu-more">
        <details>
          <summary>{t('How to get WebGPU')}</summary>
          <WebGpuHelp reason={reason} />
        </details>
        {hasCpu && (
          <details>
            <summary>{t('What does not work without it')}</summary>
            <ul>
              {everythingMissing().map((text) => (
                <li key={text}>{text}</li>
              ))}
            </ul>
          </details>
        )}
        <button type="button" onClick={() => void computeOnCpu(false)}>
          {t('Try WebGPU again')}
        </button>
      </div>
    </section>
  )
}
