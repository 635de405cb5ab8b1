import { dismissError } from '../../state/actions/errors.ts'
import type { Failure } from '../../state/failure.ts'
import { useStudio } from '../../state/store.ts'

/** The message ends with the place, which stands below it in a list. */
function withoutPlace({ message, where }: Failure): string {
  if (Object.keys(where).length === 0) return message
  return message.replace(/ \((file|tensor|offset) [^()]*\)$/, '')
}

/** What went wrong, where, and that nothing else has changed. Lies over the page, so that nothing jumps. */
export function ErrorPanel() {
  const errors = useStudio((state) => state.runs.errors)
  if (errors.length === 0) return null
  return (
    <aside className="error-stack" aria-label="Errors">
      {errors.map(({ id, action, failure }) => (
        <article key={id} className="error-card" role="alert">
          <header>
            <h2>{action}</h2>
            <code>{failure.code}</code>
            <button
              type="button"
              className="icon-button"
              aria-label="Dismiss"
              onClick={() => dismissError(id)}
            >
              ×
            </button>
          </header>
          <p>{withoutPlace(failure)}</p>
          {Object.keys(failure.where).length > 0 && (
            <dl>
              {failure.where.file !== undefined && (
                <div>
                  <dt>file</dt>
                  <dd>{failure.where.file}</dd>
                </div>
              )}
              {failure.where.tensor !== undefined && (
                <div>
                  <dt>tensor</dt>
                  <dd>{failure.where.tensor}</dd>
                </div>
              )}
              {failure.where.offset !== undefined && (
                <div>
                  <dt>offset</dt>
                  <dd>{failure.where.offset.toLocaleString('en')} bytes</dd>
                </div>
              )}
            </dl>
          )}
        </article>
      ))}
    </aside>
  )
}
