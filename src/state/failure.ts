// What went wrong, as plain data for the store and the error panel. Errors that are none of the engine's own have
// the code `unexpected`: a fault of the studio.

import { EngineError, type ErrorCode, type ErrorPlace } from '../core/errors.ts'

export interface Failure {
  code: ErrorCode | 'unexpected'
  message: string
  where: ErrorPlace
}

/** Any thrown value as a failure. */
export function toFailure(error: unknown): Failure {
  if (error instanceof EngineError) return { code: error.code, message: error.message, where: error.where }
  if (error instanceof Error) {
    const name = error.name === 'Error' ? '' : `${error.name}: `
    return { code: 'unexpected', message: `${name}${error.message}`, where: {} }
  }
  return { code: 'unexpected', message: String(error), where: {} }
}

export function isCancelled(error: unknown): boolean {
  return error instanceof EngineError && error.code === 'cancelled'
}
