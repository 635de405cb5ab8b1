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
  brief: 'Divide each share by the length of that expert’s Fisher diagonal; paper’s definition only.',
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
      default: 'paper',
      source: 'paper',
      brief: 'Who gets the floor, and whether Fishers are brought to one length.',
      options: [
        {
          value: 'paper',
          label: 'paper',
          brief: 'The target alone, which is the first expert; Fishers normalised if asked for.',
        },
        { value: 'common', label: 'common', brief: 'Every expert, by adding it; Fishers as they are.' },
      ],
    },
  ],
}
