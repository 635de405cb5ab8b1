// The cluster picture with what can be done to it: point, brush, zoom, lay all λ over one another; below it what was
// brushed, and the point that was opened.

import { type FocusEvent, type ReactNode, useEffect, useMemo, useState } from 'react'
import type { AqiView, ClusterPoints } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import ClusterPlot from '../charts/ClusterPlot.tsx'
import { type DensityLayer, domainOf } from '../charts/clusterLayers.ts'
import type { PlotTool } from '../charts/PlotSurface.tsx'
import type { PlotWindow } from '../charts/plotWindow.ts'
import { PointIndex, type PointPlace } from '../charts/pointIndex.ts'
import { type ClusterSource, layersOf } from './clusterSources.ts'
import { MeansTable } from './MeansTable.tsx'
import { PlotTools } from './PlotTools.tsx'
import { PointCard } from './PointCard.tsx'
import { PointList } from './PointList.tsx'
import { PointTip } from './PointTip.tsx'
import { type ClusterItem, PointBook } from './pointBook.ts'
import { useTexts } from './useTexts.ts'
import './clusters.css'

export interface ClusterExplorerProps {
  view: AqiView
  sources: readonly ClusterSource[]
  /** of every measured λ */
  sweepClouds: readonly ClusterPoints[]
  isTable: boolean
  height: number
  /** between the picture and what was brushed */
  legend: ReactNode
  /** see ClusterPlot */
  pixelsAbove?: number
}

/** More arrows than this hide what they show. */
const maxArrows = 200

/** Back from text, which is equal when the numbers are: axes then stay as they are. */
const parseDomain = (text: string): [number, number] => {
  const [low, high] = text.split(' ').map(Number)
  return [low ?? 0, high ?? 1]
}

/** The whole picture: all that is measured, so that it stays while the slider moves. */
function useHome(sources: readonly ClusterSource[], sweepClouds: readonly ClusterPoints[]): PlotWindow {
  const texts = useMemo(() => {
    const measured = sources.filter(({ isGuess }) => !isGuess).map(({ points }) => points)
    const clouds = [...measured, ...sweepClouds].flatMap(({ safe, unsafe }) => [safe, unsafe])
    return { x: domainOf(clouds, 0).join(' '), y: domainOf(clouds, 1).join(' ') }
  }, [sources, sweepClouds])
  return useMemo(() => ({ x: parseDomain(texts.x), y: parseDomain(texts.y) }), [texts.x, texts.y])
}

const noPoints = new Float32Array(0)
const noDensity: readonly DensityLayer[] = []

export default function ClusterExplorer(props: ClusterExplorerProps) {
  const { view, sources, sweepClouds, isTable, height, legend, pixelsAbove } = props
  const home = useHome(sources, sweepClouds)
  const [zoom, setZoom] = useState<PlotWindow | null>(null)
  const [tool, setTool] = useState<PlotTool>('select')
  const [hasDensity, setDensity] = useState(false)
  const [active, setActive] = useState<PointPlace | undefined>(undefined)
  const [selectedKeys, setSelected] = useState<readonly string[]>([])
  const [openKey, setOpen] = useState<string | null>(null)
  const texts = useTexts(view, sources)

  const layers = useMemo(() => layersOf(sources), [sources])
  const index = useMemo(() => new PointIndex(layers.map(({ points }) => points)), [layers])
  const book = useMemo(() => new PointBook(sources, texts, view === 'answers'), [sources, texts, view])
  // Points of another view are other texts.
  useEffect(() => {
    if (view) {
      setSelected([])
      setOpen(null)
      setActive(undefined)
    }
  }, [view])

  const wanted = selectedKeys.length > 0 || openKey !== null
  const items = useMemo(
    () => (wanted || isTable ? new Map(book.all().map((item) => [item.key, item])) : noItems),
    [book, wanted, isTable],
  )
  const selected = useMemo(() => selectedKeys.flatMap((key) => items.get(key) ?? []), [selectedKeys, items])
  const opened = openKey === null ? undefined : items.get(openKey)
  const isActive = active !== undefined && active.cloud < layers.length && isPlace(active, layers)
  const activeItem = isActive ? book.itemAt(active) : undefined
  const density = useMemo<readonly DensityLayer[]>(
    () =>
      hasDensity
        ? [
            { points: sweepClouds.map(({ safe }) => safe), colour: '--safe' },
            { points: sweepClouds.map(({ unsafe }) => unsafe), colour: '--unsafe' },
          ]
        : noDensity,
    [hasDensity, sweepClouds],
  )
  const rings = useMemo(
    () => (opened ? [...selected, opened] : selected).flatMap(({ places }) => Object.values(places)),
    [selected, opened],
  )
  const selectedPoints = useMemo(
    () => (rings.length === 0 ? noPoints : Float32Array.from(rings.flatMap(({ x, y }) => [x, y]))),
    [rings],
  )
  const moving = opened ? [opened] : selected.length <= maxArrows ? selected : []
  const arrows = arrowsOf(activeItem && !moving.includes(activeItem) ? [...moving, activeItem] : moving)

  const select = (found: readonly ClusterItem[], isMore: boolean) => {
    const keys = found.map(({ key }) => key)
    setOpen(null)
    if (!isMore) setSelected(keys)
    else if (keys.length === 1 && selectedKeys.includes(keys[0]!))
      setSelected(selectedKeys.filter((key) => key !== keys[0]))
    else setSelected([...new Set([...selectedKeys, ...keys])])
  }
  const clear = () => {
    if (openKey !== null) setOpen(null)
    else if (selectedKeys.length > 0) setSelected([])
    setActive(undefined)
  }
  // What Escape closes must be below the focus: the list and the card are, like the plot.
  const onBlur = (event: FocusEvent) => {
    if (!event.currentTarget.contains(event.relatedTarget)) setActive(undefined)
  }
  const point = (item: ClusterItem | undefined) => {
    const place = item && (item.places.merge ?? item.places.anchor ?? Object.values(item.places)[0])
    setActive(place?.place)
  }
  const list = isTable ? [...items.values()] : selected
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: keys and focus of what is inside
    <div
      className="cluster-explorer"
      onBlur={onBlur}
      onKeyDown={(event) => {
        if (event.key === 'Escape' && !event.defaultPrevented) clear()
      }}
    >
      {isTable ? (
        <MeansTable layers={layers} />
      ) : (
        <>
          <PlotTools
            tool={tool}
            onTool={setTool}
            home={home}
            window={zoom ?? home}
            onWindow={setZoom}
            density={sweepClouds.length > 1 ? hasDensity : undefined}
            onDensity={setDensity}
          />
          <ClusterPlot
            layers={layers}
            density={density}
            index={index}
            home={home}
            window={zoom ?? home}
            onWindow={(window) => setZoom(window === home ? null : window)}
            tool={tool}
            selected={selectedPoints}
            arrows={arrows}
            active={isActive ? active : undefined}
            onActive={setActive}
            onOpen={(place) => setOpen(itemKey(book, place))}
            onSelect={(ids, isMore) => select(book.itemsOf(index, ids), isMore)}
            onClear={clear}
            label={t('Points of the clusters: {count}', { count: index.count })}
            hint={t(
              'Arrow keys go to the next point in their direction, Enter opens it, space adds it to the selection, Escape closes. Plus and minus zoom, shift with arrows moves the picture, 0 shows all. The table lists the same points.',
            )}
            tip={isActive && activeItem && <PointTip item={activeItem} label={layers[active.cloud]!.label} />}
            xLabel={t('along the anchor’s class-mean difference, σ')}
            yLabel={t('first residual, σ')}
            height={height}
            pixelsAbove={pixelsAbove}
          />
        </>
      )}
      {legend}
      {opened && <PointCard item={opened} sources={sources} onClose={() => setOpen(null)} />}
      {list.length > 0 && (
        <PointList
          items={list}
          sources={sources}
          isAll={isTable}
          openKey={openKey}
          onOpen={(item) => setOpen(item.key === openKey ? null : item.key)}
          onPoint={point}
          onClear={() => setSelected([])}
        />
      )}
    </div>
  )
}

const noItems: ReadonlyMap<string, ClusterItem> = new Map()

const itemKey = (book: PointBook, place: PointPlace): string => book.itemAt(place).key

const isPlace = ({ cloud, index }: PointPlace, layers: readonly { points: Float32Array }[]): boolean =>
  2 * index + 1 < layers[cloud]!.points.length

/** From the anchor's point to the merge's, of each item that has both. */
function arrowsOf(items: readonly ClusterItem[]): Float32Array {
  const pairs = items.flatMap(({ places: { anchor, merge } }) =>
    anchor && merge ? [anchor.x, anchor.y, merge.x, merge.y] : [],
  )
  return pairs.length === 0 ? noPoints : Float32Array.from(pairs)
}
