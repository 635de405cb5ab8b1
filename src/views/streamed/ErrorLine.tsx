import type { Failure } from '../../state/failure.ts'

/** What went wrong, with its code and place. */
export function ErrorLine({ failure }: { failure: Failure }) {
  return (
    <p className="streamed-error" role="alert">
      <strong>{failure.code}</strong> {failure.message}
    </p>
  )
}
