// Which text stands behind which point, and where the same text lies for everybody: in the fixed views the n-th point of
// a class is the same probe for every model; in the answers view points are paired by their probe, since a model's own
// answer decides whether and on which side it appears.

import type { PointText, PointTexts } from '../../../workers/api/probes.ts'
import type { PointIndex, PointPlace } from '../charts/pointIndex.ts'
import { type ClassName, type ClusterSource, classNames } from './clusterSources.ts'

export interface ItemPlace {
  className: ClassName
  x: number
  y: number
  place: PointPlace
}

export interface ClusterItem {
  /** stays the same while points move */
  key: string
  /** undefined until the engine has told */
  text: PointText | undefined
  /** by source; of the point pointed at there is always one */
  places: Partial<Record<ClusterSource['id'], ItemPlace>>
}

export class PointBook {
  private readonly sources: readonly ClusterSource[]
  private readonly texts: readonly (PointTexts | null | undefined)[]
  private readonly isByProbe: boolean
  /** of the answers view: probe → place, by source */
  private readonly byProbe: ReadonlyMap<string, PointPlace>[]

  /** `texts`: of each source, in the order of its points. */
  constructor(
    sources: readonly ClusterSource[],
    texts: readonly (PointTexts | null | undefined)[],
    isByProbe: boolean,
  ) {
    this.sources = sources
    // Texts of another number than the points are of another measurement, and so may be those of more sources.
    this.texts = sources.map(({ points }, at) => {
      const found = texts[at]
      const fits = found && classNames.every((name) => found[name].length === points[name].length / 2)
      return fits ? found : undefined
    })
    this.isByProbe = isByProbe
    this.byProbe = !isByProbe
      ? []
      : this.texts.map((found, at) => {
          const places = classNames.flatMap((name, which) =>
            (found?.[name] ?? []).map(({ probe }, index): [string, PointPlace] => [
              probe,
              { cloud: 2 * at + which, index },
            ]),
          )
          return new Map(places)
        })
  }

  /** All items of the picture, class by class; with pairing by probe those of all sources. */
  all(): ClusterItem[] {
    const items = new Map<string, ClusterItem>()
    this.sources.forEach(({ points }, at) => {
      classNames.forEach((name, which) => {
        for (let index = 0; index < points[name].length / 2; index++) {
          const item = this.itemAt({ cloud: 2 * at + which, index })
          if (!items.has(item.key)) items.set(item.key, item)
        }
      })
    })
    return [...items.values()]
  }

  /** The item behind a point. */
  itemAt(place: PointPlace): ClusterItem {
    const source = place.cloud >> 1
    const className = classNames[place.cloud & 1]!
    const text = this.texts[source]?.[className][place.index]
    const isPaired = !this.isByProbe || text !== undefined
    const key = !this.isByProbe
      ? `${className} ${place.index}`
      : (text?.probe ?? `${this.sources[source]!.id} ${className} ${place.index}`)
    const places: ClusterItem['places'] = {}
    this.sources.forEach(({ id }, at) => {
      const own = !isPaired ? (at === source ? place : undefined) : this.pairOf(at, place, text)
      const found = own && this.placeAt(own)
      if (found) places[id] = found
    })
    return { key, text, places }
  }

  /** Items behind points, each once. */
  itemsOf(index: PointIndex, ids: readonly number[]): ClusterItem[] {
    const items = new Map<string, ClusterItem>()
    for (const id of ids) {
      const item = this.itemAt(index.placeOf(id))
      if (!items.has(item.key)) items.set(item.key, item)
    }
    return [...items.values()]
  }

  private pairOf(at: number, place: PointPlace, text: PointText | undefined): PointPlace | undefined {
    if (this.isByProbe) return text && this.byProbe[at]!.get(text.probe)
    return { cloud: 2 * at + (place.cloud & 1), index: place.index }
  }

  private placeAt(place: PointPlace): ItemPlace | undefined {
    const className = classNames[place.cloud & 1]!
    const points = this.sources[place.cloud >> 1]!.points[className]
    if (2 * place.index + 1 >= points.length) return undefined
    return { className, x: points[2 * place.index]!, y: points[2 * place.index + 1]!, place }
  }
}

/** How far the state of an item moved from anchor to merge in the plane, in the anchor's standard deviations. */
export function movedOf({ places: { anchor, merge } }: ClusterItem): number | undefined {
  return anchor && merge && Math.hypot(merge.x - anchor.x, merge.y - anchor.y)
}

/** The class an item is shown under: the anchor's, or the first that has it. */
export const classOf = ({ places }: ClusterItem): ClassName =>
  (places.anchor ?? places.merge ?? places.a ?? places.b)?.className ?? 'safe'
