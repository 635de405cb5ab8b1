import type { MethodDeclaration } from '../../declaration.ts'

export const declaration: MethodDeclaration = {
  id: 'karcher',
  label: 'Karcher mean',
  group: 'sphere',
  brief: 'The point on the sphere nearest to all models, at their mean length; no weights.',
  source: { text: 'mergekit karcher; arXiv 2603.04972', url: 'https://arxiv.org/abs/2603.04972' },
  provenance: 'standard',
  // mergekit takes a base that is given as one more input.
  base: 'optional',
  isBaseLeftOut: true,
  experts: { min: 1, max: 8 },
  material: [],
  parameters: [
    {
      kind: 'number',
      id: 'max_iter',
      label: 'Steps',
      scope: 'global',
      min: 1,
      max: 1000,
      default: 10,
      step: 1,
      isInteger: true,
      source: 'standard',
      brief: 'Most steps toward the mean.',
    },
    {
      kind: 'number',
      id: 'tol',
      label: 'Tolerance',
      symbol: 'ε',
      scope: 'global',
      min: 1e-12,
      max: 0.1,
      default: 1e-5,
      step: 1e-6,
      isLogarithmic: true,
      source: 'standard',
      brief: 'Stops when the next step is shorter than this, in radians.',
    },
  ],
}
