// The one error type that leaves the core. Every message says what was found, what was expected and
// where (file, tensor, offset); `code` survives the worker boundary, `where` feeds the error panel.

export type ErrorCode =
  | 'file-missing' // a file or URL that should be there is not
  | 'file-malformed' // bytes that contradict their own format
  | 'access-refused' // a server that wants a token, a consent or a right
  | 'file-unsupported' // a well-formed file of a kind we do not read
  | 'hash-mismatch' // bytes that are not those that were promised
  | 'storage-full' // the browser's quota
  | 'storage-busy' // another tab is at the same model
  | 'config-unsupported' // an architecture or switch that the engine does not have
  | 'shape-mismatch' // tensors or models that do not fit together
  | 'tokenizer-mismatch' // models that do not share a tokenizer
  | 'not-finite' // NaN or infinity where a number must be
  | 'gpu-unavailable' // no adapter, or only the null backend
  | 'gpu-limit' // the adapter cannot hold what was asked
  | 'gpu-failed' // a validation, compilation or memory error on the device
  | 'runtime-failed' // another runtime, on the CPU, refused or broke off
  | 'device-lost' // the device went away; the engine must be reopened
  | 'cancelled' // the user stopped the job
  | 'link-invalid' // an address that cannot be read
  | 'request-invalid' // a parameter outside its range, an unknown model or method
  | 'check-failed' // a self-check found a wrong number

export interface ErrorPlace {
  file?: string
  tensor?: string
  /** byte offset inside `file` */
  offset?: number
}

export class EngineError extends Error {
  readonly code: ErrorCode
  readonly where: ErrorPlace
  constructor(code: ErrorCode, message: string, where: ErrorPlace = {}) {
    const place = [
      where.file && `file ${where.file}`,
      where.tensor && `tensor ${where.tensor}`,
      where.offset !== undefined && `offset ${where.offset}`,
    ].filter(Boolean)
    super(place.length > 0 ? `${message} (${place.join(', ')})` : message)
    this.name = 'EngineError'
    this.code = code
    this.where = where
  }
}

/** Throws `cancelled` when the signal has been raised; called at every kernel and file edge. */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new EngineError('cancelled', 'stopped by the user')
}
