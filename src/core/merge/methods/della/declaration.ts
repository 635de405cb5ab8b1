import {
  lambdaParameter,
  type MethodDeclaration,
  normalizeParameter,
  variantParameter,
  weightParameter,
} from '../../declaration.ts'
import { densityParameter, epsilonParameter, rescaleParameter } from '../../taskVectorsDeclaration.ts'

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
  parameters: [
    weightParameter,
    densityParameter(0.5, 'Mean chance of a change to stay.'),
    epsilonParameter,
    normalizeParameter(true),
    rescaleParameter(true, 'Make up for what was dropped.'),
    lambdaParameter,
    variantParameter(
      'Each change that stays is divided by its own chance to stay.',
      'What stays is scaled to the L1 norm of the whole task vector.',
    ),
  ],
}
