import type { MethodDeclaration } from '../../declaration.ts'
import { dareParameters } from '../../taskVectorsDeclaration.ts'

export const declaration: MethodDeclaration = {
  id: 'dare_linear',
  label: 'DARE',
  group: 'task vectors',
  brief: 'Drop changes at random, scale up the rest, add them up.',
  source: { text: 'Yu et al., arXiv 2311.03099', url: 'https://arxiv.org/abs/2311.03099' },
  provenance: 'paper',
  base: 'required',
  experts: { min: 1, max: 8 },
  material: [],
  isRandom: true,
  parameters: dareParameters,
}
