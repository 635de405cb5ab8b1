import type { MethodDeclaration } from '../../declaration.ts'

export const declaration: MethodDeclaration = {
  id: 'passthrough',
  label: 'Passthrough',
  group: 'averages',
  brief: 'One model as it is, or scaled: for stacking layers and for parts that are not to be merged.',
  source: { text: 'mergekit passthrough', url: 'https://github.com/arcee-ai/mergekit' },
  provenance: 'standard',
  base: 'none',
  experts: { min: 1, max: 1 },
  material: [],
  parameters: [
    {
      kind: 'number',
      id: 'scale',
      label: 'Scale',
      symbol: 's',
      scope: 'model',
      min: -10,
      max: 10,
      default: 1,
      step: 0.05,
      source: 'standard',
      brief: 'Factor on the weights; 0 takes a layer out of the residual stream.',
    },
  ],
}
