import type { MethodDeclaration, NumberDeclaration } from '../../declaration.ts'

/** Smallest change that counts. */
export const epsilon: NumberDeclaration = {
  kind: 'number',
  id: 'epsilon',
  label: 'Least change',
  symbol: 'ε',
  scope: 'global',
  min: 0,
  max: 1,
  default: 1e-5,
  step: 1e-6,
  isLogarithmic: true,
  source: 'standard',
  brief: 'A model counts at a weight that it changed by more than this.',
}

export const declaration: MethodDeclaration = {
  id: 'ram',
  label: 'RAM',
  group: 'task vectors',
  brief: 'Changes that only one model made are kept whole, shared ones averaged.',
  source: {
    text: 'Reinforced agent merging, arXiv 2601.13572; mergekit ram',
    url: 'https://arxiv.org/abs/2601.13572',
  },
  provenance: 'standard',
  base: 'required',
  experts: { min: 1, max: 8 },
  material: [],
  parameters: [epsilon],
}
