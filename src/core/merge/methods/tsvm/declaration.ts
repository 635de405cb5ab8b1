import type { MethodDeclaration } from '../../declaration.ts'
import { spectralScale } from '../../spectralDeclaration.ts'

export const declaration: MethodDeclaration = {
  id: 'tsvm',
  label: 'TSV-Merge',
  group: 'spectral',
  brief:
    'Leading singular vectors of every task vector, made orthogonal to one another before they are added.',
  source: { text: 'Gargiulo et al., arXiv 2412.00081', url: 'https://arxiv.org/abs/2412.00081' },
  provenance: 'paper',
  base: 'required',
  experts: { min: 1, max: 8 },
  material: [],
  parameters: [spectralScale('alpha', 'paper')],
}
