// The comparison as files: CSV and JSON of every number with interval and count, the plot as SVG and PNG.

import type { Estimate, Experiment, LabellerSummary } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import { csvField } from '../../share/csv.ts'
import type { Measurement } from '../../state/slices/runs.ts'
import type { CompareColumn } from './compareColumns.ts'

export interface ExportRow {
  label: string
  link: string
  measurement: Measurement | undefined
}

const parts = (estimate: Estimate | undefined): string[] => {
  if (!estimate) return ['', '', '', '']
  if ('unavailable' in estimate) return [estimate.unavailable, '', '', '']
  return [estimate.value, estimate.low, estimate.high, estimate.count].map(String)
}

/** One line per merge; four columns per measure: value, low, high, n. */
export function comparisonCsv(rows: readonly ExportRow[], columns: readonly CompareColumn[]): string {
  const head = ['merge', ...columns.flatMap(({ id }) => [id, `${id} low`, `${id} high`, `${id} n`]), 'link']
  const lines = rows.map(({ label, link, measurement }) => [
    label,
    ...columns.flatMap((column) => parts(measurement && column.pick(measurement))),
    link,
  ])
  return [head, ...lines]
    .map((line) => line.map(csvField).join(','))
    .join('\r\n')
    .concat('\r\n')
}

/** Experiment and all numbers; unavailable ones keep their reason. */
export function comparisonJson(
  experiment: Experiment,
  labeller: LabellerSummary | null,
  rows: readonly ExportRow[],
  columns: readonly CompareColumn[],
): string {
  const merges = rows.map(({ label, link, measurement }) => ({
    label,
    link,
    measures: Object.fromEntries(
      columns.map((column) => [column.id, (measurement && column.pick(measurement)) ?? null]),
    ),
    byLayer: measurement?.drift?.byLayer ?? null,
  }))
  const head = { format: 'alignmerge-comparison', version: 1, experiment }
  const by = labeller && { name: labeller.name, digest: labeller.digest }
  return `${JSON.stringify({ ...head, labeller: by, merges }, null, 2)}\n`
}

const styled = [
  'fill',
  'stroke',
  'stroke-width',
  'stroke-dasharray',
  'opacity',
  'font-size',
  'font-weight',
  'font-family',
  'text-anchor',
]

/** A standing SVG with its colours written out, so that it looks the same without this page's style sheet. */
export function standaloneSvg(svg: SVGSVGElement): string {
  const copy = svg.cloneNode(true) as SVGSVGElement
  const [from, to] = [svg, copy].map((root) => [root, ...root.querySelectorAll<SVGElement>('*')])
  from!.forEach((element, i) => {
    const style = getComputedStyle(element)
    for (const name of styled) {
      const value = style.getPropertyValue(name)
      if (value) to![i]!.setAttribute(name, value)
    }
  })
  const { width, height } = svg.getBoundingClientRect()
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
  copy.setAttribute('width', String(width))
  copy.setAttribute('height', String(height))
  const ground = document.createElementNS('http://www.w3.org/2000/svg', 'rect')
  ground.setAttribute('width', '100%')
  ground.setAttribute('height', '100%')
  ground.setAttribute('fill', getComputedStyle(svg.closest('.panel') ?? document.body).backgroundColor)
  copy.prepend(ground)
  return new XMLSerializer().serializeToString(copy)
}

/** The same as a PNG at twice the size. */
export async function svgToPng(text: string): Promise<Blob> {
  const image = new Image()
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`
  await image.decode()
  const canvas = document.createElement('canvas')
  canvas.width = 2 * image.width
  canvas.height = 2 * image.height
  canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height)
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error(t('the picture could not be drawn')))))
  })
}

/** Hands a file to the browser's downloads. */
export function saveFile(name: string, content: Blob | string, type: string): void {
  const url = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}
