// What to do for WebGPU, browser by browser; the one that the page runs in comes first.

import { t } from '../../language/translate.ts'
import './withoutGpu.css'

interface Way {
  id: 'chromium' | 'firefox' | 'safari' | 'linux'
  browser: string
  text: string
  /** to be typed as it is */ code?: string
}

const ways = (): Way[] => [
  {
    id: 'chromium',
    browser: 'Chrome, Edge',
    text: t(
      '113 and newer on Windows, macOS and ChromeOS, 121 on Android; hardware acceleration must be on.',
    ),
  },
  { id: 'firefox', browser: 'Firefox', text: t('141 and newer on Windows, 145 and newer on macOS.') },
  { id: 'safari', browser: 'Safari', text: t('26 and newer on macOS, iOS and iPadOS.') },
  {
    id: 'linux',
    browser: t('Chrome or Chromium on Linux'),
    text: t('started with'),
    code: '--enable-unsafe-webgpu --enable-features=Vulkan',
  },
]

/** Which of the ways is this browser's; user agents lie, so it only decides what stands first. */
function ownWay(): Way['id'] {
  const agent = navigator.userAgent
  if (/Firefox\//.test(agent)) return 'firefox'
  if (/Chrom(e|ium)\//.test(agent))
    return /Linux/.test(agent) && !/Android/.test(agent) ? 'linux' : 'chromium'
  return /Safari\//.test(agent) ? 'safari' : 'chromium'
}

export default function WebGpuHelp({ reason }: { reason: string }) {
  const own = ownWay()
  const list = ways().sort((a, b) => Number(b.id === own) - Number(a.id === own))
  return (
    <div className="webgpu-help">
      <dl>
        {list.map(({ id, browser, text, code }) => (
          <div key={id}>
            <dt>
              {browser}
              {id === own && <span className="muted"> · {t('this browser')}</span>}
            </dt>
            <dd>
              {text}
              {code && (
                <>
                  {' '}
                  <code>{code}</code>
                </>
              )}
            </dd>
          </div>
        ))}
        <div>
          <dt>{t('No graphics card')}</dt>
          <dd>
            {t('Chromium’s software adapter computes everything here:')}{' '}
            <code>--enable-unsafe-webgpu --use-webgpu-adapter=swiftshader</code>
          </dd>
        </div>
        <div>
          <dt>{t('The address')}</dt>
          <dd>
            {isSecureContext
              ? t('must begin with https or be localhost; this one does.')
              : t('must begin with https or be localhost; this one does not, so no browser gives it WebGPU.')}
          </dd>
        </div>
        <div>
          <dt>{t('A blocked driver or policy')}</dt>
          <dd>
            {t('is named by')} <code>chrome://gpu</code>, <code>about:support</code>.
          </dd>
        </div>
      </dl>
      {reason && <p className="muted">{t('The browser’s answer: {reason}', { reason })}</p>}
    </div>
  )
}
