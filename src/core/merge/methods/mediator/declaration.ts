import { type MethodDeclaration, weightParameter } from '../../declaration.ts'

export const declaration: MethodDeclaration = {
  id: 'mediator',
  label: 'Mediator-style',
  group: 'task vectors',
  brief:
    'Layers where experts agree are averaged; where they conflict one stays whole and the others add their largest differences.',
  source: {
    text: 'after Mediator, arXiv 2502.04411; conflict and shares ours',
    url: 'https://arxiv.org/abs/2502.04411',
  },
  provenance: 'ours',
  base: 'required',
  experts: { min: 1, max: 8 },
  material: [],
  parameters: [
    weightParameter,
    {
      kind: 'number',
      id: 'threshold',
      label: 'Conflict bound',
      scope: 'global',
      min: -10,
      max: 10,
      default: 0.5,
      step: 0.1,
      source: 'ours',
      brief: 'A layer conflicts when it lies this many standard deviations above the mean of all layers.',
    },
    {
      kind: 'number',
      id: 'keep',
      label: 'Share kept',
      scope: 'global',
      min: 0,
      max: 1,
      default: 0.1,
      step: 0.01,
      source: 'ours',
      brief: 'Share of each other expert’s largest differences that a conflicting layer keeps.',
    },
    {
      kind: 'choice',
      id: 'mode',
      label: 'Conflicting layers',
      scope: 'global',
      default: 'static',
      source: 'ours',
      brief: 'What is written for layers where experts conflict.',
      options: [
        {
          value: 'static',
          label: 'mixed',
          brief: 'One expert whole, the others’ largest differences by their share of the layer’s change.',
        },
        {
          value: 'trunk',
          label: 'one expert',
          brief: 'That expert alone: what routed differences are added to.',
        },
      ],
    },
  ],
}
