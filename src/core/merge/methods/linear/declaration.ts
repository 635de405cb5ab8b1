import { type MethodDeclaration, normalizeParameter, weightParameter } from '../../declaration.ts'

export const declaration: MethodDeclaration = {
  id: 'linear',
  label: 'Linear',
  group: 'averages',
  brief: 'Weighted mean of the weights: a model soup.',
  source: { text: 'Wortsman et al., model soups, arXiv 2203.05482', url: 'https://arxiv.org/abs/2203.05482' },
  provenance: 'standard',
  base: 'none',
  experts: { min: 1, max: 8 },
  material: [],
  parameters: [weightParameter, normalizeParameter(true)],
}
