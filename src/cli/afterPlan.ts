// What `npm run after` looks at: the models alone, two merges of a task and the uncensored expert, and what is done to
// each merge once it is there.

import type { AntidoteBudget, AntidoteOptions } from '../core/repair/antidote.ts'
import { ANTIDOTE_BUDGET } from '../core/repair/antidote.ts'
import { TEZO_DEFAULTS, type TezoOptions } from '../core/repair/tezo.ts'
import type { Setup } from '../core/session/session.ts'
import { anchorOf, defaultSetup, type ZooIndex, type ZooModel } from './resultsPlan.ts'

export interface MergeCase {
  id: 'average' | 'shielded'
  label: string
  setup: Setup
}

export interface AntidoteVariant {
  id: string
  label: string
  options: Partial<AntidoteOptions>
  metric: Setup['metric']
  budget: AntidoteBudget
  /** the plain average alone, or both merges */ isShort: boolean
}

export interface TezoVariant {
  id: string
  label: string
  options: Omit<TezoOptions, 'seed' | 'signal' | 'onProgress'>
}

/** All but 5 % of the accepting probes prefer the refusal by 2 nats; ‖ε‖ of a round at most 5 % of ‖θ‖. */
const budgetOf = (rounds: number): AntidoteBudget => ({
  ...ANTIDOTE_BUDGET,
  margin: 2,
  largest: 0.05,
  bisections: 2,
  rounds,
})

/** Panacea's own choice: the loss of harmful completions, one gradient, nothing spared, plain Euclidean. */
const PANACEA = { target: 'harmful', tokens: 4096, protection: 'none' } as const

export const ANTIDOTES: readonly AntidoteVariant[] = [
  {
    id: 'panacea',
    label: 'loss of harmful completions, one gradient (Panacea’s)',
    options: PANACEA,
    metric: 'identity',
    budget: budgetOf(1),
    isShort: true,
  },
  {
    id: 'noise',
    label: 'seeded noise (control)',
    options: { target: 'noise' },
    metric: 'identity',
    budget: budgetOf(1),
    isShort: false,
  },
  {
    id: 'once',
    label: 'decision margin, one gradient',
    options: {},
    metric: 'identity',
    budget: budgetOf(1),
    isShort: false,
  },
  {
    id: 'unprotected',
    label: 'decision margin, eight rounds, nothing spared',
    options: { protection: 'none' },
    metric: 'identity',
    budget: budgetOf(8),
    isShort: false,
  },
  {
    id: 'fisher',
    label: 'decision margin, eight rounds, G = Fisher',
    options: {},
    metric: 'fisher',
    budget: budgetOf(8),
    isShort: false,
  },
  {
    id: 'rounds',
    label: 'decision margin, eight rounds',
    options: {},
    metric: 'identity',
    budget: budgetOf(8),
    isShort: true,
  },
]
/** The antidote whose map is shown and whose result goes on to masking and attacks. */
export const BEST_ANTIDOTE = 'rounds'

const tezo = { ...TEZO_DEFAULTS, steps: 150 }
export const POLISHES: readonly TezoVariant[] = [
  { id: 'plain', label: 'TeZO, plain', options: { ...tezo, momentum: 0 } },
  { id: 'momentum', label: 'TeZO, momentum 0.9', options: tezo },
  {
    id: 'redraw',
    label: 'TeZO, momentum 0.9, factors redrawn every 25 steps',
    options: { ...tezo, redraw: 25 },
  },
]

/** ‖ε‖/‖θ‖ at which an antidote is shown whose search takes no step: about what the best one takes. */
export const SHOWN_LENGTH = 0.0125

/** Sizes of subsets whose use as rows of A is tried, and random draws of each. */
export const COVER_SIZES = [8, 32] as const
export const COVER_DRAWS = 3

export interface AfterPlan {
  anchor: ZooModel
  experts: ZooModel[]
  /** anchor first */ alone: ZooModel[]
  cases: MergeCase[]
}

export function planAfter(index: ZooIndex, seed: number): AfterPlan {
  const first = (role: string) => index.models.filter((model) => model.role === role).slice(0, 1)
  const anchor = anchorOf(index)
  const experts = [...first('task'), ...first('uncensored')]
  const base = defaultSetup(index, experts, seed)
  return {
    anchor,
    experts,
    alone: [anchor, ...experts, ...first('safety')],
    cases: [
      { id: 'average', label: 'Plain average', setup: { ...base, method: 'linear' } },
      {
        id: 'shielded',
        label: 'AlignMerge, path, λ 1024',
        setup: { ...base, source: 'path', lambdaAlign: 1024 },
      },
    ],
  }
}
