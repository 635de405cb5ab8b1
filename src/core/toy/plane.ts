// Vectors and symmetric matrices of the plane, exact to rounding. No general algebra: two coordinates, written out.

export interface Vector {
  x: number
  y: number
}

/** (xx, xy; xy, yy) */
export interface Symmetric {
  xx: number
  xy: number
  yy: number
}

export const zeroMatrix: Symmetric = { xx: 0, xy: 0, yy: 0 }

export const plus = (a: Vector, b: Vector, by = 1): Vector => ({ x: a.x + by * b.x, y: a.y + by * b.y })
export const minus = (a: Vector, b: Vector): Vector => plus(a, b, -1)
export const times = (by: number, a: Vector): Vector => ({ x: by * a.x, y: by * a.y })
export const dot = (a: Vector, b: Vector): number => a.x * b.x + a.y * b.y

/** m + by · n */
export const plusMatrix = (m: Symmetric, n: Symmetric, by = 1): Symmetric => ({
  xx: m.xx + by * n.xx,
  xy: m.xy + by * n.xy,
  yy: m.yy + by * n.yy,
})

/** by · a aᵀ */
export const outer = (a: Vector, by = 1): Symmetric => ({
  xx: by * a.x * a.x,
  xy: by * a.x * a.y,
  yy: by * a.y * a.y,
})

export const apply = (m: Symmetric, a: Vector): Vector => ({
  x: m.xx * a.x + m.xy * a.y,
  y: m.xy * a.x + m.yy * a.y,
})

/** aᵀ m b */
export const inner = (m: Symmetric, a: Vector, b: Vector): number => dot(a, apply(m, b))

/** ‖a‖_m, 0 where rounding makes the square negative. */
export const length = (m: Symmetric, a: Vector): number => Math.sqrt(Math.max(0, inner(m, a, a)))

export const determinant = (m: Symmetric): number => m.xx * m.yy - m.xy * m.xy

/** m⁻¹; of a singular matrix numbers that are not finite. */
export function inverse(m: Symmetric): Symmetric {
  const by = 1 / determinant(m)
  return { xx: m.yy * by, xy: -m.xy * by, yy: m.xx * by }
}

export interface Eigen {
  /** the larger first */
  values: readonly [number, number]
  /** unit length, at right angles */
  vectors: readonly [Vector, Vector]
}

/** Eigenvalues and vectors of a symmetric matrix. */
export function eigen({ xx, xy, yy }: Symmetric): Eigen {
  const mean = (xx + yy) / 2
  const half = Math.hypot((xx - yy) / 2, xy)
  // The angle is defined even where the matrix is a multiple of one: then any pair of axes will do.
  const angle = Math.atan2(2 * xy, xx - yy) / 2
  const first = { x: Math.cos(angle), y: Math.sin(angle) }
  return {
    values: [mean + half, mean - half],
    vectors: [first, { x: -first.y, y: first.x }],
  }
}

export interface Ellipse {
  /** semi-axes, the longer first */
  radii: readonly [number, number]
  /** of the longer one against the x axis, radians */
  angle: number
}

/** {v : vᵀ m v = level²}; radii are Infinity along directions that m does not see. */
export function ellipseOf(m: Symmetric, level: number): Ellipse {
  const { values, vectors } = eigen(m)
  const radius = (value: number) => (value > 0 ? level / Math.sqrt(value) : Number.POSITIVE_INFINITY)
  return {
    radii: [radius(values[1]), radius(values[0])],
    angle: Math.atan2(vectors[1].y, vectors[1].x),
  }
}
