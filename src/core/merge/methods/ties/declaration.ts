import {
  lambdaParameter,
  type MethodDeclaration,
  normalizeParameter,
  variantParameter,
  weightParameter,
} from '../../declaration.ts'
import { densityParameter, RESCALE_TO_NORM, rescaleParameter } from '../../taskVectorsDeclaration.ts'

export const declaration: MethodDeclaration = {
  id: 'ties',
  label: 'TIES',
  group: 'task vectors',
  brief: 'Trim small changes, elect a sign at each weight, average the models that agree with it.',
  source: { text: 'Yadav et al., arXiv 2306.01708', url: 'https://arxiv.org/abs/2306.01708' },
  provenance: 'paper',
  base: 'required',
  experts: { min: 1, max: 8 },
  material: [],
  parameters: [
    weightParameter,
    densityParameter(1, 'Share of the largest changes that stays; the paper keeps 0.2, mergekit all.'),
    normalizeParameter(true),
    rescaleParameter(false, RESCALE_TO_NORM),
    lambdaParameter,
    variantParameter(
      'Trim over the whole model; every model has one vote; no rescaling.',
      'Trim each tensor by itself; votes are weighted.',
    ),
  ],
}
