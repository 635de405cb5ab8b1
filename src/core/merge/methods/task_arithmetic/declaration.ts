import {
  lambdaParameter,
  type MethodDeclaration,
  normalizeParameter,
  weightParameter,
} from '../../declaration.ts'

export const declaration: MethodDeclaration = {
  id: 'task_arithmetic',
  label: 'Task arithmetic',
  group: 'task vectors',
  brief: 'Base plus the weighted sum of what each model learned.',
  source: { text: 'Ilharco et al., arXiv 2212.04089', url: 'https://arxiv.org/abs/2212.04089' },
  provenance: 'paper',
  base: 'required',
  experts: { min: 1, max: 8 },
  material: [],
  parameters: [weightParameter, normalizeParameter(false), lambdaParameter],
}
