// What the comparison page and `npm run table` put side by side: every declared method that fits, at settings from
// its paper or mergekit where the declared default is not what its authors used, and both variants where they differ.

import type { Experiment } from '../../workers/api.ts'
import { findMethod, type MethodParameters, methodDeclarations, misfit } from './methods.ts'

export interface ComparedMethod {
  /** stable name of the row */
  id: string
  label: string
  method: string
  parameters: MethodParameters
  lambdaAlign?: number
}

interface Variation {
  suffix: string
  parameters: MethodParameters
  lambdaAlign?: number
}

/**
 * Rows of a method other than one at its defaults. Task vectors of K experts weighted to sum 1 are scaled by K: a sum
 * of whole task vectors at λ 0.3 … 1, as their papers use them.
 */
const variations: Readonly<Record<string, (experts: number) => readonly Variation[]>> = {
  task_arithmetic: (K) => [
    { suffix: 'Σ τ × 0.3', parameters: { lambda: 0.3 * K } },
    { suffix: 'Σ τ', parameters: { lambda: K } },
  ],
  ties: () => [
    { suffix: 'mergekit, density 0.2', parameters: { density: 0.2 } },
    { suffix: 'paper, density 0.2', parameters: { density: 0.2, variant: 'paper' } },
  ],
  dare_linear: () => [
    { suffix: 'density 0.5', parameters: { density: 0.5 } },
    { suffix: 'density 0.5, paper', parameters: { density: 0.5, variant: 'paper' } },
  ],
  dare_ties: () => [{ suffix: 'density 0.5', parameters: { density: 0.5 } }],
  led: (K) => [{ suffix: 'whole τ', parameters: { lambda: K } }],
  sce: () => [{ suffix: 'top 0.5', parameters: { select_topk: 0.5 } }],
  alignmerge: () => [
    ...[1, 16, 1024].map((lambdaAlign) => ({ suffix: `λ ${lambdaAlign}`, parameters: {}, lambdaAlign })),
    { suffix: 'margin budget, 3 rounds, λ 4', parameters: { rounds: 3, budget: 'margin' }, lambdaAlign: 4 },
  ],
}

/** The rows for this many experts, in the order of the declarations. */
export function comparedMethods(expertCount: number): ComparedMethod[] {
  return methodDeclarations
    .filter((declaration) => !misfit(declaration, expertCount) && declaration.id !== 'passthrough')
    .flatMap(({ id, label }): ComparedMethod[] => {
      const varied = variations[id]?.(expertCount)
      if (!varied) return [{ id, label, method: id, parameters: {} }]
      return varied.map(({ suffix, ...rest }) => ({
        id: `${id} ${suffix}`,
        label: `${label}, ${suffix}`,
        method: id,
        ...rest,
      }))
    })
}

/** The experiment with this row's method: opening it gives the very merge that was measured. */
export function comparedExperiment(experiment: Experiment, row: ComparedMethod): Experiment {
  const known = new Set(findMethod(row.method)?.parameters.map(({ id }) => id))
  return {
    ...experiment,
    method: row.method,
    antidote: 0,
    parameters: Object.fromEntries(Object.entries(row.parameters).filter(([id]) => known.has(id))),
    ...(row.lambdaAlign !== undefined && { lambdaAlign: row.lambdaAlign }),
  }
}
