import {
  type MethodDeclaration,
  type NumberDeclaration,
  normalizeParameter,
  weightParameter,
} from '../../declaration.ts'

const share = (id: string, label: string, value: number, brief: string): NumberDeclaration => ({
  kind: 'number',
  id,
  label,
  scope: 'global',
  min: -2,
  max: 3,
  default: value,
  step: 0.05,
  source: 'ours',
  brief,
})

export const declaration: MethodDeclaration = {
  id: 'layerwise',
  label: 'Layer by layer',
  group: 'averages',
  brief: 'From the first model to the mean of the others, gradually over the layers.',
  source: { text: 'Linear interpolation with a share that moves over depth; ours' },
  provenance: 'ours',
  base: 'none',
  experts: { min: 2, max: 8 },
  material: [],
  parameters: [
    weightParameter,
    share('start', 'First layer', 0, 'Share of the other models in the embedding and the first layer.'),
    share(
      'end',
      'Last layer',
      1,
      'Share of the other models in the last layer, the final norm and the head.',
    ),
    normalizeParameter(true),
  ],
}
