import type { MethodDeclaration } from '../../declaration.ts'

export const declaration: MethodDeclaration = {
  id: 'opcm',
  label: 'OPCM',
  group: 'sequential',
  brief:
    'One expert after another, each projected away from what the merge so far already uses; order matters.',
  source: { text: 'Tang et al., arXiv 2501.09522', url: 'https://arxiv.org/abs/2501.09522' },
  provenance: 'paper',
  base: 'required',
  experts: { min: 1, max: 8 },
  material: [],
  parameters: [
    {
      kind: 'number',
      id: 'alpha',
      label: 'Protected share',
      symbol: 'α',
      scope: 'global',
      min: 0,
      max: 1,
      default: 0.5,
      step: 0.01,
      source: 'paper',
      brief: 'Share of the running merge’s singular values whose directions newcomers may not use together.',
    },
  ],
}
