import {
  lambdaParameter,
  type MethodDeclaration,
  normalizeParameter,
  variantParameter,
  weightParameter,
} from '../../declaration.ts'
import { densityParameter, rescaleParameter } from '../../taskVectorsDeclaration.ts'

export const declaration: MethodDeclaration = {
  id: 'dare_ties',
  label: 'DARE-TIES',
  group: 'task vectors',
  brief: 'Drop changes at random, scale up the rest, then elect signs as in TIES.',
  source: { text: 'Yu et al., arXiv 2311.03099', url: 'https://arxiv.org/abs/2311.03099' },
  provenance: 'paper',
  base: 'required',
  experts: { min: 1, max: 8 },
  material: [],
  isRandom: true,
  parameters: [
    weightParameter,
    densityParameter(0.5, 'Chance of each change to stay; mergekit’s own default is 1, which drops nothing.'),
    normalizeParameter(false),
    rescaleParameter(true, 'Make up for what was dropped.'),
    lambdaParameter,
    variantParameter(
      'What stays is divided by the density.',
      'What stays is scaled to the L1 norm of the whole task vector.',
    ),
  ],
}
