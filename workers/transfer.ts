// Errors across the worker boundary. Comlink copies only name, message and stack of a thrown error; these handlers
// carry `code` and `where` too, both when an error is thrown and when it is passed as a value. Both sides call
// registerTransferHandlers() before their first wrap or expose.

import { type TransferHandler, transferHandlers } from 'comlink'
import { EngineError, type ErrorCode, type ErrorPlace } from '../src/core/errors.ts'

type WireError =
  | { kind: 'engine'; code: ErrorCode; message: string; where: ErrorPlace; stack: string | undefined }
  | { kind: 'other'; name: string; message: string; stack: string | undefined }
  | { kind: 'value'; value: unknown }

/** What Comlink hands to its "throw" handler; the marker that it recognises is its own private symbol. */
interface Thrown {
  value: unknown
}

function toWire(error: unknown): WireError {
  if (error instanceof EngineError) {
    return {
      kind: 'engine',
      code: error.code,
      message: error.message,
      where: { ...error.where },
      stack: error.stack,
    }
  }
  if (error instanceof Error)
    return { kind: 'other', name: error.name, message: error.message, stack: error.stack }
  return { kind: 'value', value: error }
}

function fromWire(wire: WireError): unknown {
  switch (wire.kind) {
    case 'engine': {
      // The message names the place already, so it is not given to the constructor a second time.
      const error = new EngineError(wire.code, wire.message)
      return Object.assign(error, { where: wire.where, stack: wire.stack ?? error.stack })
    }
    case 'other': {
      const error = new Error(wire.message)
      error.name = wire.name
      if (wire.stack !== undefined) error.stack = wire.stack
      return error
    }
    case 'value':
      return wire.value
  }
}

/** Replaces Comlink's handler for thrown errors and adds one for errors passed as values. Safe to call twice. */
export function registerTransferHandlers(): void {
  const original = transferHandlers.get('throw')
  if (!original) throw new Error('comlink has no handler for thrown errors')
  const thrown: TransferHandler<Thrown, WireError> = {
    canHandle: (value): value is Thrown => original.canHandle(value),
    serialize: ({ value }) => [toWire(value), []],
    deserialize: (wire) => {
      throw fromWire(wire)
    },
  }
  transferHandlers.set('throw', thrown)
  const passed: TransferHandler<EngineError, WireError> = {
    canHandle: (value): value is EngineError => value instanceof EngineError,
    serialize: (value) => [toWire(value), []],
    deserialize: (wire) => fromWire(wire) as EngineError,
  }
  transferHandlers.set('engine-error', passed)
}
