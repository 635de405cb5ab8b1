import { type MethodDeclaration, type NumberDeclaration, weightParameter } from '../../declaration.ts'

const offDiagonal: NumberDeclaration = {
  kind: 'number',
  id: 'off_diagonal',
  label: 'Off-diagonal',
  symbol: 'α',
  scope: 'global',
  min: 0,
  max: 1,
  default: 0.6,
  step: 0.05,
  source: 'standard',
  brief:
    'Factor on the correlations of inputs; below 1 the system can always be solved, 0 is a mean by input size.',
}

export const declaration: MethodDeclaration = {
  id: 'regmean',
  label: 'RegMean',
  group: 'data',
  brief:
    'Each linear layer comes as near as it can to what every expert’s own layer gives on its own inputs.',
  source: {
    text: 'Jin et al., arXiv 2212.09849; off-diagonal .6 as in FusionBench',
    url: 'https://arxiv.org/abs/2212.09849',
  },
  provenance: 'paper',
  base: 'none',
  experts: { min: 1, max: 8 },
  material: ['gram'],
  parameters: [weightParameter, offDiagonal],
}
