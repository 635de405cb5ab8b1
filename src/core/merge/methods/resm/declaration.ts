import type { MethodDeclaration } from '../../declaration.ts'
import { spectralScale } from '../../spectralDeclaration.ts'

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
    spectralScale('alpha', 'ours'),
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
