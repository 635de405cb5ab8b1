import type { MethodDeclaration } from '../../declaration.ts'

export const declaration: MethodDeclaration = {
  id: 'model_stock',
  label: 'Model Stock',
  group: 'sphere',
  brief: 'Mean of the models, drawn to the base the more their task vectors disagree.',
  source: { text: 'Jang et al., Model Stock, arXiv 2403.19522', url: 'https://arxiv.org/abs/2403.19522' },
  provenance: 'paper',
  base: 'required',
  experts: { min: 2, max: 8 },
  material: [],
  parameters: [
    {
      kind: 'switch',
      id: 'filter_wise',
      label: 'By rows',
      scope: 'global',
      default: false,
      source: 'standard',
      brief: 'One angle for every row of a matrix instead of one for the tensor.',
    },
  ],
}
