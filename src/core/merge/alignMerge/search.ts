// The search that always ends (methods.md §1.3): λ_align 0, 1, 2, 4, …, 1024 until the budget holds, then four
// bisections down to the least λ_align that holds; where none holds, the anchor retreat δ ← s · δ_hard with s
// bisected in [0, 1], whose end s = 0 is the anchor and holds by construction. At most MAXIMUM_EVALUATIONS.
// What an evaluation is (how a merge is made, what it is measured on) is the caller's.

/** Where a merge was tried: λ_align (Infinity: hard projection), and the share s of δ that is kept. */
export interface SearchPoint {
  lambdaAlign: number
  scale: number
}

/** fixed: no search; doubling, bisection, retreat: stages of the search; anchor: s = 0, nothing else held. */
export type SearchStage = 'fixed' | 'doubling' | 'bisection' | 'retreat' | 'anchor'

export interface SearchEvaluation<T> extends SearchPoint {
  stage: SearchStage
  result: T
  isAccepted: boolean
}

export interface SearchOutcome<T> {
  /** stage that accepted */ stage: SearchStage
  point: SearchPoint
  /** undefined for the anchor, which is not measured: it holds by construction */ result: T | undefined
  /** everything that was tried, in order */ evaluations: SearchEvaluation<T>[]
}

export const SEARCH_LAMBDAS: readonly number[] = [0, ...Array.from({ length: 11 }, (_, i) => 2 ** i)]
export const LAMBDA_BISECTIONS = 4
export const RETREAT_BISECTIONS = 6
/** A search that ends in retreat: all λ_align, the hard projection, its bisections. */
export const MAXIMUM_EVALUATIONS = SEARCH_LAMBDAS.length + 1 + RETREAT_BISECTIONS

/** Runs the search; rejects only what `evaluate` rejects. */
export async function searchAlignment<T>(
  evaluate: (point: SearchPoint, stage: SearchStage) => Promise<{ result: T; isAccepted: boolean }>,
): Promise<SearchOutcome<T>> {
  const evaluations: SearchEvaluation<T>[] = []
  let best: SearchEvaluation<T> | undefined
  const attempt = async (point: SearchPoint, stage: SearchStage): Promise<boolean> => {
    const evaluation = { ...point, stage, ...(await evaluate(point, stage)) }
    evaluations.push(evaluation)
    if (evaluation.isAccepted) best = evaluation
    return evaluation.isAccepted
  }
  const outcome = (): SearchOutcome<T> =>
    best
      ? {
          stage: best.stage,
          point: { lambdaAlign: best.lambdaAlign, scale: best.scale },
          result: best.result,
          evaluations,
        }
      : {
          stage: 'anchor',
          point: { lambdaAlign: Number.POSITIVE_INFINITY, scale: 0 },
          result: undefined,
          evaluations,
        }

  let failed: number | undefined
  for (const lambdaAlign of SEARCH_LAMBDAS) {
    if (!(await attempt({ lambdaAlign, scale: 1 }, 'doubling'))) {
      failed = lambdaAlign
      continue
    }
    let [low, high] = [failed, lambdaAlign]
    for (let i = 0; low !== undefined && i < LAMBDA_BISECTIONS; i++) {
      const middle: number = (low + high) / 2
      if (await attempt({ lambdaAlign: middle, scale: 1 }, 'bisection')) high = middle
      else low = middle
    }
    return outcome()
  }
  const hard = Number.POSITIVE_INFINITY
  if (await attempt({ lambdaAlign: hard, scale: 1 }, 'retreat')) return outcome()
  let [holds, fails] = [0, 1]
  for (let i = 0; i < RETREAT_BISECTIONS; i++) {
    const scale = (holds + fails) / 2
    if (await attempt({ lambdaAlign: hard, scale }, 'retreat')) holds = scale
    else fails = scale
  }
  return outcome()
}
