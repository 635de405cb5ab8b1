import type { MethodDeclaration } from '../../declaration.ts'
import { breadcrumbsParameters } from '../../taskVectorsDeclaration.ts'

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
  parameters: breadcrumbsParameters,
}
