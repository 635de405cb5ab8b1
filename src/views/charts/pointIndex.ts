// Finding points of large clouds by place: a grid in counting-sort order, so that pointing at one of 100 000 points
// looks at the few cells around the pointer. All coordinates are in data units. Pure.

export interface PointPlace {
  /** which cloud */ cloud: number
  /** which of its points */ index: number
}

export type Direction = 'left' | 'right' | 'up' | 'down'

/** Points of a cell on average; fewer make empty cells, more make long lists. */
const POINTS_PER_CELL = 4
const MAX_CELLS_PER_AXIS = 512

export class PointIndex {
  readonly count: number
  private readonly clouds: readonly Float32Array[]
  /** first id of each cloud, and the end */
  private readonly firsts: number[] = [0]
  private readonly cellsPerAxis: number
  private readonly low: [number, number] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  private readonly size: [number, number]
  /** ids in order of cells; those of cell c are order[starts[c] … starts[c + 1]) */
  private readonly order: Uint32Array
  private readonly starts: Uint32Array

  /** `clouds`: x, y interleaved. */
  constructor(clouds: readonly Float32Array[]) {
    this.clouds = clouds
    for (const cloud of clouds) this.firsts.push(this.firsts.at(-1)! + cloud.length / 2)
    this.count = this.firsts.at(-1)!
    const high: [number, number] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]
    for (const cloud of clouds)
      for (let at = 0; at < cloud.length; at++) {
        const axis = at & 1
        if (cloud[at]! < this.low[axis]!) this.low[axis] = cloud[at]!
        if (cloud[at]! > high[axis]!) high[axis] = cloud[at]!
      }
    const cells = Math.ceil(Math.sqrt(this.count / POINTS_PER_CELL))
    this.cellsPerAxis = Math.max(1, Math.min(MAX_CELLS_PER_AXIS, cells))
    const sizeOf = (axis: 0 | 1) =>
      Math.max(high[axis] - this.low[axis], Number.MIN_VALUE) / this.cellsPerAxis
    this.size = this.count === 0 ? [1, 1] : [sizeOf(0), sizeOf(1)]
    const cellCount = this.cellsPerAxis ** 2
    const cellOf = new Uint32Array(this.count)
    this.starts = new Uint32Array(cellCount + 1)
    let id = 0
    for (const cloud of clouds)
      for (let at = 0; at < cloud.length; at += 2) {
        const cell = this.column(cloud[at]!, 0) + this.cellsPerAxis * this.column(cloud[at + 1]!, 1)
        cellOf[id++] = cell
        this.starts[cell + 1]!++
      }
    for (let cell = 0; cell < cellCount; cell++) this.starts[cell + 1]! += this.starts[cell]!
    const next = this.starts.slice()
    this.order = new Uint32Array(this.count)
    for (let point = 0; point < this.count; point++) this.order[next[cellOf[point]!]!++] = point
  }

  placeOf(id: number): PointPlace {
    let cloud = 0
    while (id >= this.firsts[cloud + 1]!) cloud++
    return { cloud, index: id - this.firsts[cloud]! }
  }

  idOf({ cloud, index }: PointPlace): number {
    return this.firsts[cloud]! + index
  }

  x(id: number): number {
    const { cloud, index } = this.placeOf(id)
    return this.clouds[cloud]![2 * index]!
  }

  y(id: number): number {
    const { cloud, index } = this.placeOf(id)
    return this.clouds[cloud]![2 * index + 1]!
  }

  /** The nearest point within an ellipse of half axes `reachX`, `reachY`; undefined where there is none. */
  nearest(x: number, y: number, reachX: number, reachY: number): number | undefined {
    let best: number | undefined
    let least = 1
    this.visit(x - reachX, y - reachY, x + reachX, y + reachY, (id, px, py) => {
      const distance = ((px - x) / reachX) ** 2 + ((py - y) / reachY) ** 2
      // Of points in one place the first counts, whatever the cells' order.
      if (distance < least || (distance === least && (best === undefined || id < best))) {
        least = distance
        best = id
      }
    })
    return best
  }

  /** Ids inside a rectangle, ascending. */
  inRectangle(x0: number, y0: number, x1: number, y1: number): number[] {
    const found: number[] = []
    this.visit(Math.min(x0, x1), Math.min(y0, y1), Math.max(x0, x1), Math.max(y0, y1), (id) => found.push(id))
    return found.sort((a, b) => a - b)
  }

  /** Ids inside a closed polygon (x, y interleaved) by the even-odd rule, ascending. */
  inPolygon(polygon: ArrayLike<number>): number[] {
    const xs = Array.from({ length: polygon.length / 2 }, (_, i) => polygon[2 * i]!)
    const ys = Array.from({ length: polygon.length / 2 }, (_, i) => polygon[2 * i + 1]!)
    if (xs.length < 3) return []
    const found: number[] = []
    this.visit(Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys), (id, px, py) => {
      let isInside = false
      for (let i = 0, j = xs.length - 1; i < xs.length; j = i++)
        if (ys[i]! > py !== ys[j]! > py) {
          const crossing = xs[i]! + ((py - ys[i]!) / (ys[j]! - ys[i]!)) * (xs[j]! - xs[i]!)
          if (px < crossing) isInside = !isInside
        }
      if (isInside) found.push(id)
    })
    return found.sort((a, b) => a - b)
  }

  /**
   * The nearest other point whose direction from `id` is within 45° of an arrow key, as the eye sees it: `unitX` and
   * `unitY` are the data units of one pixel. Where that quarter is empty, any point of that half counts.
   */
  neighbour(id: number, direction: Direction, unitX: number, unitY: number): number | undefined {
    const [fromX, fromY] = [this.x(id), this.y(id)]
    const isAcross = direction === 'left' || direction === 'right'
    const sign = direction === 'right' || direction === 'up' ? 1 : -1
    let [quarter, half]: (number | undefined)[] = []
    let [leastQuarter, leastHalf] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
    let other = 0
    for (const cloud of this.clouds)
      for (let at = 0; at < cloud.length; at += 2, other++) {
        const dx = (cloud[at]! - fromX) / unitX
        const dy = (cloud[at + 1]! - fromY) / unitY
        const along = sign * (isAcross ? dx : dy)
        if (!(along > 0)) continue
        const distance = dx * dx + dy * dy
        if (distance < leastHalf) {
          leastHalf = distance
          half = other
        }
        if (distance < leastQuarter && along >= Math.abs(isAcross ? dy : dx)) {
          leastQuarter = distance
          quarter = other
        }
      }
    return quarter ?? half
  }

  private column(value: number, axis: 0 | 1): number {
    const cell = Math.floor((value - this.low[axis]) / this.size[axis])
    return Math.max(0, Math.min(this.cellsPerAxis - 1, cell))
  }

  private visit(
    x0: number,
    y0: number,
    x1: number,
    y1: number,
    take: (id: number, x: number, y: number) => void,
  ): void {
    if (this.count === 0) return
    const [firstColumn, lastColumn] = [this.column(x0, 0), this.column(x1, 0)]
    const lastRow = this.column(y1, 1)
    for (let row = this.column(y0, 1); row <= lastRow; row++)
      for (let column = firstColumn; column <= lastColumn; column++) {
        const cell = row * this.cellsPerAxis + column
        for (let at = this.starts[cell]!; at < this.starts[cell + 1]!; at++) {
          const id = this.order[at]!
          const [x, y] = [this.x(id), this.y(id)]
          if (x >= x0 && x <= x1 && y >= y0 && y <= y1) take(id, x, y)
        }
      }
  }
}
