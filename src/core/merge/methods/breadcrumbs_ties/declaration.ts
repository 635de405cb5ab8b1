import {
  lambdaParameter,
  type MethodDeclaration,
  normalizeParameter,
  weightParameter,
} from '../../declaration.ts'
import {
  densityParameter,
  gammaParameter,
  RESCALE_TO_NORM,
  rescaleParameter,
} from '../../taskVectorsDeclaration.ts'

export const declaration: MethodDeclaration = {
  id: 'breadcrumbs_ties',
  label: 'Breadcrumbs-TIES',
  group: 'task vectors',
  brief: 'Drop the largest and the smallest changes, then elect signs as in TIES.',
  source: { text: 'Davari & Belilovsky, arXiv 2312.06795', url: 'https://arxiv.org/abs/2312.06795' },
  provenance: 'paper',
  base: 'required',
  experts: { min: 1, max: 8 },
  material: [],
  parameters: [
    weightParameter,
    densityParameter(0.9, 'Share of the changes that stays.'),
    gammaParameter,
    normalizeParameter(false),
    rescaleParameter(false, RESCALE_TO_NORM),
    lambdaParameter,
  ],
}
