import { type MethodDeclaration, type ParameterDeclaration, weightParameter } from '../../declaration.ts'

const own = { scope: 'global', source: 'ours' } as const

const parameters: readonly ParameterDeclaration[] = [
  {
    ...own,
    kind: 'number',
    id: 'rounds',
    label: 'Rounds',
    min: 0,
    max: 8,
    default: 0,
    step: 1,
    isInteger: true,
    brief: 'How often gradients are taken anew at the merge; 0 is one linearisation, at slider speed.',
  },
  {
    ...own,
    kind: 'choice',
    id: 'budget',
    label: 'Budget',
    default: 'none',
    brief:
      'What must not fall below the anchor’s value, estimated on one half of the probes and accepted on the other.',
    options: [
      { value: 'none', label: 'None', brief: 'L_geo and the shield alone.' },
      { value: 'margin', label: 'Margin', brief: 'Refusing the harmful balanced with helping the harmless.' },
      {
        value: 'aqi-prompts',
        label: 'AQI prompts',
        brief: 'Separation of prompts; it can hold while behaviour is bad.',
      },
      { value: 'aqi-completions', label: 'AQI compl.', brief: 'Separation of completions.' },
      { value: 'both', label: 'Both', brief: 'Margin and AQI of completions.' },
    ],
  },
  {
    ...own,
    kind: 'number',
    id: 'lambda_bud',
    label: 'Budget weight',
    symbol: 'λ_bud',
    min: 0,
    max: 1024,
    default: 1024,
    step: 0.25,
    isLogarithmic: true,
    brief: 'How strongly a shortfall counts; 1024 and more meets the budget to first order.',
  },
  {
    ...own,
    kind: 'number',
    id: 'tolerance',
    label: 'Tolerance',
    symbol: 'ε',
    min: 0,
    max: 8,
    default: 0.5,
    step: 0.25,
    brief: 'Slack below the anchor when accepting: standard errors of log S, half nats of the margin.',
  },
  {
    ...own,
    kind: 'switch',
    id: 'search',
    label: 'Search for the shield',
    default: false,
    brief:
      'Raises λ_align until the budget holds, then retreats towards the anchor; always ends and says where.',
  },
  {
    ...own,
    kind: 'switch',
    id: 'one_sided',
    label: 'One-sided shield',
    default: false,
    brief: 'Damps only motion that raises the alignment loss.',
  },
  {
    ...own,
    kind: 'choice',
    id: 'row_weights',
    label: 'Weights of directions',
    symbol: 'wᵢ',
    default: 'equal',
    brief: 'Whether more sensitive directions count more.',
    options: [
      { value: 'equal', label: 'Equal', brief: 'All 1.' },
      { value: 'eigen', label: 'μᵢ/μ₁', brief: 'By eigenvalue, as AlignGuard-LoRA does.' },
    ],
  },
  {
    ...own,
    kind: 'choice',
    id: 'subspace',
    label: 'Subspace',
    default: 'global',
    brief: 'One U for the whole model or one for every layer.',
    options: [
      { value: 'global', label: 'Global', brief: 'Directions span all layers.' },
      { value: 'layer', label: 'Per layer', brief: 'Each layer is shielded by itself.' },
    ],
  },
  {
    ...own,
    kind: 'choice',
    id: 'control',
    label: 'Control',
    default: 'none',
    brief: 'The control experiment: random directions should not protect.',
    options: [
      { value: 'none', label: 'Off', brief: 'Alignment directions.' },
      { value: 'random', label: 'Random', brief: 'A random subspace of equal rank.' },
    ],
  },
]

export const declaration: MethodDeclaration = {
  id: 'alignmerge',
  label: 'AlignMerge',
  group: 'alignment',
  brief: 'Barycentre in the anchor’s Fisher metric with motion along alignment directions damped.',
  source: {
    text: 'arXiv 2512.16245; the forms of both penalties ours',
    url: 'https://arxiv.org/abs/2512.16245',
  },
  provenance: 'paper',
  base: 'required',
  experts: { min: 1, max: 8 },
  material: ['shield'],
  parameters: [weightParameter, ...parameters],
}
