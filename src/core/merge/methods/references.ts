// The float64 reference of every method, found by folder and loaded when it is asked for: what merges where there is no
// device, and what the device is compared with.

import { EngineError } from '../../errors.ts'
import type { MergeReference } from '../method.ts'

const modules = import.meta.glob<{ reference: MergeReference }>('./*/reference.ts')

/** Ids of the methods that have one; AlignMerge has its own truth, closedForm.reference.ts. */
export const REFERENCED: readonly string[] = Object.keys(modules).map((path) => path.split('/')[1]!)

/** `request-invalid` for a method without one. */
export async function referenceOf(id: string): Promise<MergeReference> {
  const load = modules[`./${id}/reference.ts`]
  if (!load) throw new EngineError('request-invalid', `${id} has no float64 reference`)
  return (await load()).reference
}
