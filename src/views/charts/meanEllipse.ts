// 95 % region of a cloud's mean in the plane: Hotelling's T², which is exact for normal points and close for many.
// With two dimensions its F quantile has a closed form. The points are a sample of probes, so this is how far the mean
// would move with other probes of the same kind; it says nothing of single points. Pure.

export interface MeanEllipse {
  x: number
  y: number
  /** half axes, longer first */ a: number
  b: number
  /** of the longer axis against x, radians, counter-clockwise */ angle: number
}

/** p-quantile of F with 2 and `freedom` degrees of freedom. */
export const quantileF2 = (p: number, freedom: number): number =>
  (freedom / 2) * ((1 - p) ** (-2 / freedom) - 1)

/** `points`: x, y interleaved. Undefined below four points: the covariance would be nothing to go by. */
export function meanEllipse(points: Float32Array, confidence = 0.95): MeanEllipse | undefined {
  const n = points.length / 2
  if (n < 4) return undefined
  let [x, y] = [0, 0]
  for (let at = 0; at < points.length; at += 2) {
    x += points[at]! / n
    y += points[at + 1]! / n
  }
  let [xx, xy, yy] = [0, 0, 0]
  for (let at = 0; at < points.length; at += 2) {
    const [dx, dy] = [points[at]! - x, points[at + 1]! - y]
    xx += (dx * dx) / (n - 1)
    xy += (dx * dy) / (n - 1)
    yy += (dy * dy) / (n - 1)
  }
  const scale = ((2 * (n - 1)) / (n - 2) / n) * quantileF2(confidence, n - 2)
  const middle = (xx + yy) / 2
  const half = Math.hypot((xx - yy) / 2, xy)
  return {
    ...{ x, y },
    a: Math.sqrt(scale * (middle + half)),
    b: Math.sqrt(scale * Math.max(0, middle - half)),
    angle: 0.5 * Math.atan2(2 * xy, xx - yy),
  }
}

/** The ellipse as points (x, y interleaved) in data units, closed: axes of different scale shear it. */
export function ellipseOutline({ x, y, a, b, angle }: MeanEllipse, steps = 48): Float64Array {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
  return Float64Array.from({ length: 2 * steps }, (_, at) => {
    const turn = (2 * Math.PI * (at >> 1)) / steps
    const [along, across] = [a * Math.cos(turn), b * Math.sin(turn)]
    return at % 2 === 0 ? x + along * cos - across * sin : y + along * sin + across * cos
  })
}
