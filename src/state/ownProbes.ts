// Whether the prompts that an experiment names stand in the engine: without them nothing of it is measured.

import { create } from 'zustand'
import type { Experiment } from '../../workers/api.ts'

/** missing: in this browser there are none with this digest */
export type OwnProbesStatus = 'opening' | 'open' | 'missing'

export const useOwnProbes = create<{ known: Readonly<Record<string, OwnProbesStatus>> }>()(() => ({
  known: {},
}))

export function setOwnProbes(digest: string, status: OwnProbesStatus): void {
  useOwnProbes.setState(({ known }) => ({ known: { ...known, [digest]: status } }))
}

/** A new engine knows none. */
export const forgetOwnProbes = (): void => useOwnProbes.setState({ known: {} })

export const areProbesOpen = (experiment: Experiment | null): boolean =>
  !experiment?.probes || useOwnProbes.getState().known[experiment.probes.digest] === 'open'
