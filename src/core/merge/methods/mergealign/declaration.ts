import { type MethodDeclaration, type NumberDeclaration, weightParameter } from '../../declaration.ts'

const beta: NumberDeclaration = {
  kind: 'number',
  id: 'beta',
  label: 'Alignment share',
  symbol: 'β',
  scope: 'global',
  min: -10,
  max: 10,
  default: 0.5,
  step: 0.05,
  source: 'paper',
  brief:
    'Share of the aligned model’s difference from the base; the paper weighs domain and alignment alike.',
}

export const declaration: MethodDeclaration = {
  id: 'mergealign',
  label: 'MergeAlign',
  group: 'safety',
  brief: 'Task arithmetic that adds the difference of an aligned model from the shared base.',
  source: { text: 'Thakkar et al., arXiv 2411.06824', url: 'https://arxiv.org/abs/2411.06824' },
  provenance: 'paper',
  base: 'required',
  experts: { min: 1, max: 8 },
  material: ['aligned'],
  parameters: [{ ...weightParameter, default: 0.5, brief: 'Share of this model’s difference.' }, beta],
}
