import type { MethodDeclaration } from '../../declaration.ts'
import { dellaParameters } from '../../taskVectorsDeclaration.ts'

export const declaration: MethodDeclaration = {
  id: 'della',
  label: 'DELLA',
  group: 'task vectors',
  brief: 'Drop changes at random, small ones more often, then elect signs as in TIES.',
  source: { text: 'Deep et al., arXiv 2406.11617', url: 'https://arxiv.org/abs/2406.11617' },
  provenance: 'paper',
  base: 'required',
  experts: { min: 1, max: 8 },
  material: [],
  isRandom: true,
  parameters: dellaParameters(true),
}
