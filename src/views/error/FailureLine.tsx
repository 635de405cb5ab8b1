import './failure.css'
import type { Failure } from '../../state/failure.ts'
import { failureKind } from './failureKinds.ts'

/** What went wrong where one stands: its kind and code, then the message with the place. */
export function FailureLine({ failure }: { failure: Failure }) {
  return (
    <p className="failure-line" role="alert">
      <strong>{failureKind(failure)}</strong> <code>{failure.code}</code> {failure.message}
    </p>
  )
}
