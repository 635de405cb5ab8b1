import type { MethodDeclaration } from '../../declaration.ts'
import { spectralScale } from '../../spectralDeclaration.ts'

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
  parameters: [spectralScale('scale', 'paper')],
}
