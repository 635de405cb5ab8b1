import {
  type MethodDeclaration,
  type NumberDeclaration,
  type SwitchDeclaration,
  weightParameter,
} from '../../declaration.ts'

const floor: NumberDeclaration = {
  kind: 'number',
  id: 'floor',
  label: 'Floor',
  symbol: 'ε',
  scope: 'global',
  min: 0,
  max: 1,
  default: 1e-6,
  step: 1e-6,
  isLogarithmic: true,
  source: 'paper',
  brief: 'Least Fisher information of a weight, so that weights nobody is sure of keep a value.',
}

const normalizeFishers: SwitchDeclaration = {
  kind: 'switch',
  id: 'normalize_fishers',
  label: 'Normalise Fishers',
  scope: 'global',
  default: true,
  source: 'paper',
  brief: 'Divide each expert’s share by the length of its Fisher diagonal.',
}

export const declaration: MethodDeclaration = {
  id: 'fisher_average',
  label: 'Fisher average',
  group: 'data',
  brief: 'Mean weighted coordinate by coordinate with each expert’s own Fisher information.',
  source: { text: 'Matena & Raffel, arXiv 2111.09832', url: 'https://arxiv.org/abs/2111.09832' },
  provenance: 'paper',
  base: 'optional',
  isBaseLeftOut: true,
  experts: { min: 1, max: 8 },
  material: ['fisher'],
  parameters: [
    weightParameter,
    floor,
    normalizeFishers,
    {
      kind: 'choice',
      id: 'variant',
      label: 'Definition',
      scope: 'global',
      default: 'common',
      source: 'ours',
      brief: 'Who gets the floor.',
      options: [
        {
          value: 'common',
          label: 'common',
          brief: 'Added to every expert, no normalisation; ours: no expert is the target.',
        },
        { value: 'paper', label: 'paper', brief: 'The target alone: the base, or the first expert.' },
      ],
    },
  ],
}
