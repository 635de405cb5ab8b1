import { type MethodDeclaration, weightParameter } from '../../declaration.ts'

export const declaration: MethodDeclaration = {
  id: 'multislerp',
  label: 'Multi-SLERP',
  group: 'sphere',
  brief: 'Weighted mean direction of any number of models, or task vectors, at their mean length.',
  source: {
    text: 'mergekit multislerp',
    url: 'https://github.com/arcee-ai/mergekit/blob/main/docs/merge_methods.md',
  },
  provenance: 'standard',
  base: 'optional',
  experts: { min: 1, max: 8 },
  material: [],
  parameters: [
    weightParameter,
    {
      kind: 'switch',
      id: 'normalize_weights',
      label: 'Normalise',
      scope: 'global',
      default: true,
      source: 'standard',
      brief: 'Divide the weights by their sum; off: it scales the length.',
    },
    {
      kind: 'number',
      id: 'eps',
      label: 'Least length',
      symbol: 'ε',
      scope: 'global',
      min: 1e-12,
      max: 0.01,
      default: 1e-8,
      step: 1e-9,
      isLogarithmic: true,
      source: 'standard',
      brief: 'Added to lengths before dividing; a mean direction shorter than this is refused.',
    },
  ],
}
