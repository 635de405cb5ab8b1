// Says when the experiment is measured on a user's own prompts, and when those are not here.

import { t } from '../../language/translate.ts'
import { measureOnBuiltIn } from '../../state/actions/ownProbes.ts'
import { setPage } from '../../state/actions/view.ts'
import { useOwnProbes } from '../../state/ownProbes.ts'
import { useStudio } from '../../state/store.ts'

export function ProbesNotice({
  onFind,
}: {
  /** on the page where prompts are dropped */ onFind?: () => void
}) {
  const probes = useStudio((state) => state.recipe.experiment?.probes)
  const status = useOwnProbes(({ known }) => (probes ? known[probes.digest] : undefined))
  if (!probes) return null
  const { name, digest } = probes
  const isMissing = status === 'missing'
  return (
    <section
      className="probes-notice"
      aria-label={t('Probes of this experiment')}
      data-missing={isMissing || undefined}
    >
      <p role={isMissing ? 'alert' : undefined}>
        {isMissing
          ? t(
              'This experiment is measured on the prompts “{name}”, which a link names and does not carry. They are not in this browser: AQI and behaviour wait for the file.',
              { name },
            )
          : t('AQI and behaviour are measured on your prompts “{name}”.', { name })}{' '}
        <code title={digest}>{digest.slice(0, 12)}…</code>
      </p>
      <span className="probes-actions">
        {isMissing && (
          <button type="button" onClick={() => (onFind ? onFind() : setPage('play'))}>
            {t('Drop the file')}
          </button>
        )}
        <button type="button" className="quiet-button" onClick={measureOnBuiltIn}>
          {t('Use the built-in probes')}
        </button>
      </span>
    </section>
  )
}
