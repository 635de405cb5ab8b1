// Soft cap of attention scores and logits (Bello et al. 1611.09940; Gemma 2, 2408.00118 §2) in float64.

/** cap · tanh(x / cap): within (-cap, cap), almost x near zero. Cap 0: x. */
export function softCap(x: number, cap: number): number {
  return cap === 0 ? x : cap * Math.tanh(x / cap)
}

/** d softCap / dx at x. */
export function softCapSlope(x: number, cap: number): number {
  return cap === 0 ? 1 : 1 - Math.tanh(x / cap) ** 2
}
