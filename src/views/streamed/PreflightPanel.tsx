// Every problem of the models, found in their headers before anything large is read.

import type { Preflight } from '../../../workers/streamedApi.ts'
import { plural, t } from '../../language/translate.ts'
import { useStreamed } from '../../state/streamed/store.ts'
import { formatBytes } from '../format.ts'

const words = { error: () => t('Error'), warning: () => t('Warning'), note: () => t('Note') } as const

export function PreflightPanel() {
  const preflight = useStreamed((state) => state.preflight)
  const isOpening = useStreamed((state) => state.status.kind === 'opening')
  const hasModels = useStreamed((state) => state.parts.length > 0)
  if (!preflight && !hasModels) return null
  return (
    <section className="streamed-card" aria-label={t('Pre-flight')} aria-busy={isOpening}>
      <h3>{t('Pre-flight')}</h3>
      {preflight ? <Findings preflight={preflight} /> : <p className="muted">{t('Reading headers …')}</p>}
    </section>
  )
}

function Findings({ preflight: { findings, models, estimate } }: { preflight: Preflight }) {
  const errors = findings.filter(({ level }) => level === 'error').length
  const { readBytes, largestTensorBytes, residentBytes, seconds } = estimate
  return (
    <>
      <p role={errors > 0 ? 'alert' : 'status'} className={errors > 0 ? 'streamed-error' : undefined}>
        {errors > 0
          ? plural(
              errors,
              '{count} error: these models cannot be merged as they are.',
              '{count} errors: these models cannot be merged as they are.',
            )
          : findings.length === 0
            ? t('Nothing was found that speaks against merging these models.')
            : t('These models can be merged.')}
      </p>
      {findings.length > 0 && (
        <ul className="preflight-list">
          {findings.map(({ level, topic, model, message, remedy }) => (
            <li key={`${level}${topic}${model}${message}`} data-level={level}>
              <span className="preflight-level">{words[level]()}</span>
              <span>
                {model !== undefined && <b>{model}: </b>}
                {message}
                {remedy !== undefined && <span className="muted"> — {remedy}</span>}
              </span>
            </li>
          ))}
        </ul>
      )}
      <p className="hint">
        {models
          .map(
            ({ name, card, format }) =>
              `${name}: ${format ?? t('no weights')}, ${card.licence ?? t('no licence named')}`,
          )
          .join(' · ')}
      </p>
      <p className="hint">
        {t(
          'To read {read}; the largest tensor takes {largest} in float32. All at once on the device, as in the Studio, would be {resident}.',
          {
            read: formatBytes(readBytes),
            largest: formatBytes(largestTensorBytes),
            resident: formatBytes(residentBytes),
          },
        )}
        {seconds !== undefined &&
          ` ${t('About {time} here, by a sample of reading and merging.', {
            time: seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`,
          })}`}
      </p>
    </>
  )
}
