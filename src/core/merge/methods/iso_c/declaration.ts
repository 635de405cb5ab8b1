import type { MethodDeclaration } from '../../declaration.ts'

export const declaration: MethodDeclaration = {
  id: 'iso_c',
  label: 'Iso-C',
  group: 'spectral',
  brief: 'The sum of all task vectors with its singular values made equal.',
  source: { text: 'Marczak et al., arXiv 2502.04959', url: 'https://arxiv.org/abs/2502.04959' },
  provenance: 'paper',
  base: 'required',
  experts: { min: 1, max: 8 },
  material: [],
  parameters: [
    {
      kind: 'number',
      id: 'scale',
      label: 'Scale',
      symbol: 'α',
      scope: 'global',
      min: 0,
      max: 5,
      default: 1,
      step: 0.05,
      source: 'paper',
      brief: 'Factor on the merged task vector.',
    },
  ],
}
