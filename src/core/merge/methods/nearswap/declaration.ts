import type { MethodDeclaration } from '../../declaration.ts'

export const declaration: MethodDeclaration = {
  id: 'nearswap',
  label: 'NearSwap',
  group: 'averages',
  brief:
    'Takes the second model’s weights where they are near the base’s, and less of them the further they are.',
  source: {
    text: 'alchemonaut/QuartetAnemoi; mergekit nearswap',
    url: 'https://huggingface.co/alchemonaut/QuartetAnemoi-70B-t0.0001',
  },
  provenance: 'standard',
  base: 'required',
  experts: { min: 1, max: 1 },
  material: [],
  parameters: [
    {
      kind: 'number',
      id: 't',
      label: 'Nearness',
      symbol: 't',
      scope: 'global',
      isRequired: true,
      min: 1e-8,
      max: 10,
      default: 0.001,
      step: 0.0001,
      isLogarithmic: true,
      source: 'standard',
      brief: 'A weight that differs by less is swapped; one that differs more moves by this much.',
    },
  ],
}
