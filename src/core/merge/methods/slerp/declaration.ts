import type { MethodDeclaration } from '../../declaration.ts'

export const declaration: MethodDeclaration = {
  id: 'slerp',
  label: 'SLERP',
  group: 'sphere',
  brief: 'From the base to one model along the arc between them, tensor by tensor.',
  source: { text: 'Shoemake 1985; mergekit slerp', url: 'https://doi.org/10.1145/325165.325242' },
  provenance: 'standard',
  base: 'required',
  experts: { min: 1, max: 1 },
  material: [],
  parameters: [
    {
      kind: 'number',
      id: 't',
      label: 'Position',
      symbol: 't',
      scope: 'global',
      isRequired: true,
      min: -1,
      max: 2,
      default: 0.5,
      step: 0.01,
      source: 'standard',
      brief: 'Place on the arc: 0 is the base, 1 the model, outside of them beyond.',
    },
  ],
}
