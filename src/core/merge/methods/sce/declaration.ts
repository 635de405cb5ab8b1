import type { MethodDeclaration } from '../../declaration.ts'

export const declaration: MethodDeclaration = {
  id: 'sce',
  label: 'SCE',
  group: 'task vectors',
  brief: 'Keep the weights on which models differ most, share by size of change, erase minority signs.',
  source: { text: 'Wan et al., FuseChat, arXiv 2408.07990', url: 'https://arxiv.org/abs/2408.07990' },
  provenance: 'paper',
  base: 'required',
  experts: { min: 1, max: 8 },
  material: [],
  parameters: [
    {
      kind: 'number',
      id: 'select_topk',
      label: 'Share kept',
      symbol: 'τ',
      scope: 'global',
      min: 0,
      max: 1,
      default: 1,
      step: 0.01,
      source: 'standard',
      brief: 'Share of the weights, by variance between models, that is merged.',
    },
  ],
}
