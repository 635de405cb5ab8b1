// All merge methods. A new one is a file here and a line below.

import { EngineError } from '../../errors.ts'
import { alignMerge } from './alignMerge.ts'
import { average } from './average.ts'
import { fisherSoup } from './fisherSoup.ts'
import type { MergeMethod } from './method.ts'

export const METHODS: readonly MergeMethod[] = [average, fisherSoup, alignMerge]

/** `request-invalid` for an unknown id. */
export function methodOf(id: string): MergeMethod {
  const method = METHODS.find((m) => m.id === id)
  if (!method)
    throw new EngineError(
      'request-invalid',
      `method ${id}: expected one of ${METHODS.map((m) => m.id).join(', ')}`,
    )
  return method
}
