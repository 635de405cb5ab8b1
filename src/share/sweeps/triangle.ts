// Weights of three experts as places in a triangle of side 1: expert 1 at the left, expert 2 at the right, expert 3
// on top. y runs upwards, 0 … √3/2.

export interface Place {
  x: number
  y: number
}

export const triangleHeight = Math.sqrt(3) / 2

export const triangleCorners: readonly [Place, Place, Place] = [
  { x: 0, y: 0 },
  { x: 1, y: 0 },
  { x: 0.5, y: triangleHeight },
]

/** Weights, which add up to 1, to a place. */
export function trianglePlace([, second = 0, third = 0]: readonly number[]): Place {
  return { x: second + third / 2, y: third * triangleHeight }
}

/** A place to weights; outside the triangle some are negative. */
export function weightsAt({ x, y }: Place): [number, number, number] {
  const third = y / triangleHeight
  const second = x - third / 2
  return [1 - second - third, second, third]
}

/** All weights in steps of 1/steps, from expert 1 alone, row by row towards expert 3 alone. */
export function latticeWeights(steps: number): [number, number, number][] {
  const lattice: [number, number, number][] = []
  for (let third = 0; third <= steps; third++)
    for (let second = 0; second <= steps - third; second++)
      lattice.push([(steps - second - third) / steps, second / steps, third / steps])
  return lattice
}

/** The part of a polygon on the side of a line where weight `index` is not negative (Sutherland and Hodgman 1974). */
function clipAt(polygon: readonly Place[], index: 0 | 1 | 2): Place[] {
  const inside = (place: Place) => weightsAt(place)[index]
  return polygon.flatMap((place, at) => {
    const before = polygon[(at + polygon.length - 1) % polygon.length]!
    const [here, there] = [inside(place), inside(before)]
    const crossing = there / (there - here)
    const cut =
      here >= 0 !== there >= 0
        ? [{ x: before.x + crossing * (place.x - before.x), y: before.y + crossing * (place.y - before.y) }]
        : []
    return here >= 0 ? [...cut, place] : cut
  })
}

/** What is nearer to a lattice point than to any other: a hexagon, cut at the triangle's sides. */
export function latticeCell(weights: readonly number[], steps: number): Place[] {
  const centre = trianglePlace(weights)
  const radius = 1 / (steps * Math.sqrt(3))
  let cell: Place[] = Array.from({ length: 6 }, (_, corner) => {
    const angle = ((2 * corner + 1) * Math.PI) / 6
    return { x: centre.x + radius * Math.cos(angle), y: centre.y + radius * Math.sin(angle) }
  })
  for (const index of [0, 1, 2] as const) cell = clipAt(cell, index)
  return cell
}
