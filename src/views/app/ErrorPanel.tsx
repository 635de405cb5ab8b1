import { t } from '../../language/translate.ts'
import { dismissError } from '../../state/actions/errors.ts'
import type { Failure } from '../../state/failure.ts'
import { useStudio } from '../../state/store.ts'
import { CopyReport } from '../error/CopyReport.tsx'
import { failureKind } from '../error/failureKinds.ts'

/** The message ends with the place, which stands below it in a list. */
function withoutPlace({ message, where }: Failure): string {
  if (Object.keys(where).length === 0) return message
  return message.replace(/ \((file|tensor|offset) [^()]*\)$/, '')
}

const faultCodes = ['unexpected', 'gpu-failed', 'device-lost', 'runtime-failed', 'not-finite', 'check-failed']

/** Not of the user's files or network: somebody will want to know more. */
const isOurs = ({ code }: Failure) => faultCodes.includes(code)

/** What went wrong, where, and that nothing else has changed. Lies over the page, so that nothing jumps. */
export function ErrorPanel() {
  const errors = useStudio((state) => state.runs.errors)
  if (errors.length === 0) return null
  return (
    <aside className="error-stack" aria-label={t('Errors')}>
      {errors.map(({ id, action, failure }) => (
        <article key={id} className="error-card" role="alert">
          <header>
            <h2>{action}</h2>
            <code>{failure.code}</code>
            <button
              type="button"
              className="icon-button"
              aria-label={t('Dismiss')}
              onClick={() => dismissError(id)}
            >
              ×
            </button>
          </header>
          <p className="error-kind">{failureKind(failure)}</p>
          <p>{withoutPlace(failure)}</p>
          {Object.keys(failure.where).length > 0 && (
            <dl>
              {failure.where.file !== undefined && (
                <div>
                  <dt>{t('file')}</dt>
                  <dd>{failure.where.file}</dd>
                </div>
              )}
              {failure.where.tensor !== undefined && (
                <div>
                  <dt>{t('tensor')}</dt>
                  <dd>{failure.where.tensor}</dd>
                </div>
              )}
              {failure.where.offset !== undefined && (
                <div>
                  <dt>{t('offset')}</dt>
                  <dd>{t('{count} bytes', { count: failure.where.offset.toLocaleString('en') })}</dd>
                </div>
              )}
            </dl>
          )}
          {isOurs(failure) && <CopyReport />}
        </article>
      ))}
    </aside>
  )
}
