// A calm line at the top of every page where there is no WebGPU: what works, what does not, what to do about it.

import { t } from '../../language/translate.ts'
import { computeOnCpu } from '../../state/actions/start.ts'
import { everythingMissing } from '../../state/needs.ts'
import WebGpuHelp from './WebGpuHelp.tsx'
import './withoutGpu.css'

export default function WithoutGpuNotice({ reason }: { reason: string }) {
  return (
    <section className="without-gpu" aria-label={t('No WebGPU')}>
      <p>
        <b>{t('No WebGPU: the processor computes.')}</b>{' '}
        {t(
          'The built-in models are merged and measured here all the same, and results that came with a link or a lesson are shown.',
        )}
      </p>
      <div className="without-gpu-more">
        <details>
          <summary>{t('How to get WebGPU')}</summary>
          <WebGpuHelp reason={reason} />
        </details>
        <details>
          <summary>{t('What does not work without it')}</summary>
          <ul>
            {everythingMissing().map((text) => (
              <li key={text}>{text}</li>
            ))}
          </ul>
        </details>
        <button type="button" onClick={() => void computeOnCpu(false)}>
          {t('Try WebGPU again')}
        </button>
      </div>
    </section>
  )
}
