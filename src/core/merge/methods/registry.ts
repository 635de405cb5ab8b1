// All merge methods, found by folder: a new one is a folder here and nothing else.

import { EngineError } from '../../errors.ts'
import type { MergeMethod } from '../method.ts'

const modules = import.meta.glob<{ method: MergeMethod<unknown> }>('./*/method.ts', { eager: true })

export const METHODS: readonly MergeMethod<unknown>[] = Object.values(modules)
  .map(({ method }) => method)
  .sort((a, b) => a.declaration.id.localeCompare(b.declaration.id))

/** `request-invalid` for an unknown id. */
export function methodOf(id: string): MergeMethod<unknown> {
  const method = METHODS.find(({ declaration }) => declaration.id === id)
  if (!method)
    throw new EngineError(
      'request-invalid',
      `method ${id}: expected one of ${METHODS.map(({ declaration }) => declaration.id).join(', ')}`,
    )
  return method
}
