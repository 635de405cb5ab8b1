import { type MethodDeclaration, weightParameter } from '../../declaration.ts'

export const declaration: MethodDeclaration = {
  id: 'safemerge',
  label: 'SafeMERGE',
  group: 'safety',
  brief:
    'Draws a layer’s change back to the aligned base, or to a safe model, where it leaves the alignment direction.',
  source: {
    text: 'Djuhera et al., arXiv 2503.17239; on full weights ours',
    url: 'https://arxiv.org/abs/2503.17239',
  },
  provenance: 'paper',
  base: 'required',
  experts: { min: 1, max: 8 },
  // A `safe` model is used where one is named; without one the base takes its place.
  material: ['unaligned'],
  parameters: [
    weightParameter,
    {
      kind: 'number',
      id: 'tau',
      label: 'Similarity bound',
      symbol: 'τ',
      scope: 'global',
      min: -1,
      max: 1,
      default: 0.35,
      step: 0.01,
      source: 'paper',
      brief: 'A change less similar than this to its projection on the alignment direction is drawn back.',
    },
    {
      kind: 'number',
      id: 'alpha',
      label: 'Share kept',
      symbol: 'α',
      scope: 'global',
      min: 0,
      max: 1,
      default: 0.8,
      step: 0.05,
      source: 'paper',
      brief: 'What a drawn-back change keeps of itself; the rest is the safe model’s, or nothing.',
    },
  ],
}
