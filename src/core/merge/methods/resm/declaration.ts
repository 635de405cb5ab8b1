import type { MethodDeclaration } from '../../declaration.ts'

export const declaration: MethodDeclaration = {
  id: 'resm',
  label: 'RESM-style',
  group: 'spectral',
  brief:
    'TSV-Merge with tasks weighed by their outliers and fewer singular vectors for sparse ones; formulas ours.',
  source: { text: 'after R-TSVM, arXiv 2502.06876; formulas ours', url: 'https://arxiv.org/abs/2502.06876' },
  provenance: 'ours',
  base: 'required',
  experts: { min: 1, max: 8 },
  material: [],
  parameters: [
    {
      kind: 'number',
      id: 'alpha',
      label: 'Scale',
      symbol: 'α',
      scope: 'global',
      min: 0,
      max: 5,
      default: 1,
      step: 0.05,
      source: 'ours',
      brief: 'Factor on the merged task vector.',
    },
    {
      kind: 'number',
      id: 'sigma',
      label: 'Outlier bound',
      symbol: 'σ',
      scope: 'global',
      min: 0,
      max: 10,
      default: 3,
      step: 0.1,
      source: 'ours',
      brief: 'Standard deviations above the mean magnitude at which a change counts as an outlier.',
    },
  ],
}
