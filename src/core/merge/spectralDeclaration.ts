// Parameters that spectral methods share, as data.

import type { NumberDeclaration, Provenance } from './declaration.ts'

/** Factor on the merged task vector, by the name its method has for it. */
export const spectralScale = (id: string, source: Provenance): NumberDeclaration => ({
  kind: 'number',
  id,
  label: 'Scale',
  symbol: 'α',
  scope: 'global',
  min: 0,
  max: 5,
  default: 1,
  step: 0.05,
  source,
  brief: 'Factor on the merged task vector.',
})
