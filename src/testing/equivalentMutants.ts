// Mutants of `npm run mutate` that compute the same, each with the reason: what a test cannot see because there
// is nothing to see. An entry that matches no survivor is reported as stale.

export interface Equivalent {
  /** a kernel's name, or `accessors` for the text of spec.ts and shared/packed.wgsl */
  kernel: string
  /** pattern of the mutated line */
  changed: RegExp
  reason: string
}

export const EQUIVALENT_MUTANTS: readonly Equivalent[] = []
