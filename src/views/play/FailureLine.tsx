import type { Failure } from '../../state/failure.ts'

/** What went wrong, with its code. */
export function FailureLine({ failure }: { failure: Failure }) {
  return (
    <p className="play-failure" role="alert">
      <strong>{failure.code}</strong> {failure.message}
    </p>
  )
}
