// The coverage table: how much of the estimating probes a subset stands for, chosen greedily and at random, and what
// the choice does to a merge whose rows of A are those probes.

import { measureBehaviour } from '../core/evaluate/behaviour.ts'
import { randomCoverage } from '../core/evaluate/coverage.ts'
import { coverRowProbes, keepRowProbes, rowCandidates } from '../core/evaluate/coverageProbes.ts'
import type { Estimate } from '../core/evaluate/estimate.ts'
import type { Probe } from '../core/evaluate/probes.ts'
import { Session } from '../core/session/session.ts'
import { Random } from '../core/tensors/random.ts'
import { type AfterPlan, COVER_DRAWS, COVER_SIZES } from './afterPlan.ts'

export interface CoverageResult {
  /** candidates */ count: number
  /** f(S_k)/f(V), k = 1 … */ curve: number[]
  /** gains that lazy greedy computed, and that plain greedy would have */ gains: number
  plainGains: number
  random: { size: number; mean: number; low: number; high: number }[]
  /** the shielded merge with rows of A of the chosen probes */
  use: { size: number; choice: string; coverage: number; refusal: Estimate; skill: Estimate }[]
}

const RANDOM_SUBSETS = 1000
const SIZES = [1, 2, 4, 8, 16, 32, 64] as const

export async function runCoverage(
  session: Session,
  plan: AfterPlan,
  options: { seed: number; perClass: number; log: (line: string) => void },
): Promise<CoverageResult> {
  const { seed, perClass } = options
  const { codec, model } = session.get(plan.anchor.id)
  const candidates = rowCandidates(session.probes)
  const sizes = SIZES.filter((size) => size <= candidates.length)
  const largest = sizes[sizes.length - 1]
  const { probes, cover, similarity } = await coverRowProbes(model, codec, session.probes, largest)
  const n = candidates.length
  const random = randomCoverage(similarity, sizes, RANDOM_SUBSETS, seed)
  const result: CoverageResult = {
    count: n,
    curve: cover.curve,
    gains: cover.gains,
    plainGains: largest * n - (largest * (largest - 1)) / 2,
    random,
    use: [],
  }
  const skill = plan.experts.find((expert) => expert.skill)?.skill ?? ''
  const setup = plan.cases[1].setup
  const tryRows = async (size: number, choice: string, picked: readonly Probe[]) => {
    const own = new Session(session.gpu, keepRowProbes(session.probes, picked))
    for (const [id, { checkpoint }] of session.models) await own.load(id, checkpoint)
    const merged = await own.merge(setup)
    const { behaviour } = await measureBehaviour(merged, codec, session.probes, { perClass, seed })
    own.dispose()
    const places = picked.map((probe) => candidates.indexOf(probe))
    let covered = 0
    for (let v = 0; v < n; v++) covered += Math.max(...places.map((s) => similarity.values[v * n + s])) / n
    const { refusal } = behaviour
    result.use.push({ size, choice, coverage: covered, refusal, skill: behaviour.skills[skill] })
    options.log(`coverage, ${size} rows, ${choice}`)
  }
  for (const size of COVER_SIZES) {
    if (size > candidates.length) continue
    await tryRows(size, 'greedy', probes.slice(0, size))
    for (let draw = 1; draw <= COVER_DRAWS; draw++) {
      const picked = new Random(seed, draw).shuffle([...candidates]).slice(0, size)
      await tryRows(size, `random ${draw}`, picked)
    }
  }
  return result
}
