import { type MethodDeclaration, weightParameter } from '../../declaration.ts'

export const declaration: MethodDeclaration = {
  id: 'nuslerp',
  label: 'NuSLERP',
  group: 'sphere',
  brief:
    'Along the arc between two models, or two task vectors, by their weights; whole tensors, rows or columns.',
  source: {
    text: 'mergekit nuslerp',
    url: 'https://github.com/arcee-ai/mergekit/blob/main/docs/merge_methods.md',
  },
  provenance: 'standard',
  base: 'optional',
  experts: { min: 2, max: 2 },
  material: [],
  parameters: [
    { ...weightParameter, brief: 'The place on the arc is the second weight’s share of both.' },
    {
      kind: 'switch',
      id: 'nuslerp_flatten',
      label: 'Whole tensors',
      scope: 'global',
      default: true,
      source: 'standard',
      brief: 'One angle for a whole tensor; off: one for every row or column.',
    },
    {
      kind: 'switch',
      id: 'nuslerp_row_wise',
      label: 'By columns',
      scope: 'global',
      default: false,
      source: 'standard',
      brief: 'When tensors are not taken whole: columns of the stored matrix instead of its rows.',
    },
  ],
}
