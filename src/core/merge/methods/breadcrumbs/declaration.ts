import type { MethodDeclaration } from '../../declaration.ts'
import { breadcrumbsParameters } from '../../taskVectorsDeclaration.ts'

export const declaration: MethodDeclaration = {
  id: 'breadcrumbs',
  label: 'Breadcrumbs',
  group: 'task vectors',
  brief: 'Drop the largest and the smallest changes and add up the rest.',
  source: { text: 'Davari & Belilovsky, arXiv 2312.06795', url: 'https://arxiv.org/abs/2312.06795' },
  provenance: 'paper',
  base: 'required',
  experts: { min: 1, max: 8 },
  material: [],
  parameters: breadcrumbsParameters,
}
