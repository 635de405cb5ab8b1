import type { MethodDeclaration } from '../../declaration.ts'
import { epsilon } from '../ram/declaration.ts'

export const declaration: MethodDeclaration = {
  id: 'ramplus_tl',
  label: 'RAM+',
  group: 'task vectors',
  brief: 'As RAM, with changes that only one model made scaled up the more of its others are shared.',
  source: {
    text: 'Reinforced agent merging, arXiv 2601.13572; mergekit ramplus_tl',
    url: 'https://arxiv.org/abs/2601.13572',
  },
  provenance: 'standard',
  base: 'required',
  experts: { min: 1, max: 8 },
  material: [],
  parameters: [
    epsilon,
    {
      kind: 'number',
      id: 'r',
      label: 'Gain',
      symbol: 'r',
      scope: 'global',
      min: 0,
      max: 10,
      default: 0.1,
      step: 0.01,
      source: 'standard',
      brief: 'How much changes of one model grow with the share of shared ones.',
    },
    {
      kind: 'number',
      id: 'alpha',
      label: 'Ceiling',
      symbol: 'α',
      scope: 'global',
      min: 0,
      max: 10,
      default: 0.2,
      step: 0.01,
      source: 'standard',
      brief: 'Largest ratio of shared to unshared changes that is counted.',
    },
  ],
}
