// Micro families that the studio serves beside its built-in models: opened when asked for, never at the start.

import type { ModelOrigin } from '../../workers/api.ts'

export interface MicroFamily {
  /** folder below zoo/families, and the part before the slash of its models' built-in ids */
  id: string
  name: string
}

export const microFamilies: readonly MicroFamily[] = [
  { id: 'llama', name: 'Llama 3' },
  { id: 'mistral', name: 'Mistral' },
  { id: 'qwen2', name: 'Qwen 2' },
  { id: 'phi3', name: 'Phi-3.5' },
  { id: 'gemma2', name: 'Gemma 2' },
]

/** The family that a built-in id like `llama/anchor` belongs to; undefined for every other origin. */
export function familyOf(origin: ModelOrigin): MicroFamily | undefined {
  if (origin.kind !== 'built-in') return undefined
  const [family, model] = origin.id.split('/')
  return model ? microFamilies.find(({ id }) => id === family) : undefined
}

/** True of what is opened at every start: the built-in models, not the families. */
export const isOpenedAtStart = (origin: ModelOrigin): boolean =>
  origin.kind === 'built-in' && !familyOf(origin)
