// Coefficients on a sphere from inner products alone, in float64: what each input counts in an interpolation between
// two vectors. Pure numbers; the vectors themselves stay on the device.

/** Norms and cosine of two vectors from their Gram matrix (2,2); a norm below `floor` is taken as `floor`. */
export function angleOf(
  gram: ArrayLike<number>,
  at: number,
  floor: (norm: number) => number,
): { cosine: number; norms: [number, number] } {
  const norms: [number, number] = [Math.sqrt(gram[at]), Math.sqrt(gram[at + 3])]
  const cosine = gram[at + 1] / (floor(norms[0]) * floor(norms[1]))
  return { cosine: Math.min(1, Math.max(-1, cosine)), norms }
}

/** cos Ω below which float32 cannot tell two vectors from opposite ones, which have no one arc between them. */
export const OPPOSITE = -1 + 1e-6

/** [sin (1−t)Ω, sin tΩ] / sin Ω, the shares of un-normalised vectors at an angle with this cosine. */
export function arcShares(cosine: number, t: number): [number, number] {
  const angle = Math.acos(cosine)
  const sine = Math.sin(angle)
  return [Math.sin((1 - t) * angle) / sine, Math.sin(t * angle) / sine]
}

export const chordShares = (t: number): [number, number] => [1 - t, t]

/** Cosines (K, K) of vectors with this Gram matrix; 0 with a vector of no length, 1 on the diagonal. */
export function cosines(gram: ArrayLike<number>, size: number, at = 0): Float64Array {
  const norm = (k: number) => Math.sqrt(gram[at + k * size + k])
  return Float64Array.from({ length: size * size }, (_, place) => {
    const [i, j] = [Math.floor(place / size), place % size]
    const product = norm(i) * norm(j)
    if (i === j) return 1
    return product === 0 ? 0 : Math.min(1, Math.max(-1, gram[at + place] / product))
  })
}
