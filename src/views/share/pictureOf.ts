// A panel as an SVG of its own: what is drawn in it with the styles it has here written into it, canvases as pictures,
// words as text where they stand. Controls are left out. Nothing in it refers to this page, so it looks the same
// wherever it is opened, and no foreignObject is used, which few programs draw.

import { t } from '../../language/translate.ts'

const NAMESPACE = 'http://www.w3.org/2000/svg'

/** What of an SVG element's look comes from style sheets. */
const looks = [
  ...[
    'fill',
    'fill-opacity',
    'stroke',
    'stroke-width',
    'stroke-opacity',
    'stroke-dasharray',
    'stroke-linecap',
  ],
  ...['stroke-linejoin', 'opacity', 'font-family', 'font-size', 'font-weight', 'font-style', 'text-anchor'],
  ...['dominant-baseline', 'visibility', 'display'],
] as const

/** What is there to be used, not to be seen on paper. */
const controls =
  'button, input, select, textarea, [popover], [role=slider], [role=toolbar], .visually-hidden, [hidden], summary'

export interface Picture {
  svg: string
  /** CSS pixels */ width: number
  height: number
}

const round = (value: number): string => String(Math.round(value * 100) / 100)

function make(name: string, attributes: Record<string, string | number>): SVGElement {
  const element = document.createElementNS(NAMESPACE, name)
  for (const [key, value] of Object.entries(attributes))
    element.setAttribute(key, typeof value === 'number' ? round(value) : value)
  return element
}

const isPaint = (colour: string): boolean => colour !== '' && !/^(transparent|rgba\(.*,\s*0\))$/.test(colour)

/** A copy whose looks stand in its own attributes. */
function frozen(source: SVGSVGElement, x: number, y: number): SVGElement {
  const copy = source.cloneNode(true) as SVGSVGElement
  const box = source.getBoundingClientRect()
  const originals = [source, ...source.querySelectorAll('*')]
  const copies = [copy, ...copy.querySelectorAll('*')]
  copies.forEach((element, index) => {
    const style = getComputedStyle(originals[index]!)
    for (const name of looks) {
      const value = style.getPropertyValue(name)
      if (value) element.setAttribute(name, value)
    }
    for (const { name } of [...element.attributes])
      if (name === 'class' || name === 'style' || name.startsWith('on')) element.removeAttribute(name)
  })
  if (!copy.hasAttribute('viewBox')) copy.setAttribute('viewBox', `0 0 ${box.width} ${box.height}`)
  for (const [name, value] of Object.entries({ x, y, width: box.width, height: box.height }))
    copy.setAttribute(name, round(value))
  return copy
}

/** Words of a text node, each where it stands; a line of them is one text. */
function wordsOf(node: Text, left: number, top: number): SVGElement[] {
  const parent = node.parentElement
  if (!parent || !node.data.trim()) return []
  const style = getComputedStyle(parent)
  const range = document.createRange()
  const lines = new Map<number, { text: string; x: number; box: DOMRect }>()
  for (const match of node.data.matchAll(/\S+/g)) {
    range.setStart(node, match.index)
    range.setEnd(node, match.index + match[0].length)
    const box = range.getBoundingClientRect()
    if (box.width === 0) continue
    const line = lines.get(Math.round(box.top))
    if (line) line.text += ` ${match[0]}`
    else lines.set(Math.round(box.top), { text: match[0], x: box.left, box })
  }
  return [...lines.values()].map(({ text, x, box }) => {
    const size = Number.parseFloat(style.fontSize)
    const element = make('text', {
      x: x - left,
      // The box of a word is its font's ascent and descent; four fifths of it is ascent in every font we use.
      y: box.top - top + box.height / 2 + size * 0.35,
      fill: style.color,
      'font-family': style.fontFamily,
      'font-size': style.fontSize,
      'font-weight': style.fontWeight,
    })
    element.textContent = style.textTransform === 'uppercase' ? text.toUpperCase() : text
    return element
  })
}

/** Background and upper edge: swatches of legends are made of one of them. */
function boxOf(element: Element, left: number, top: number): SVGElement[] {
  const style = getComputedStyle(element)
  const box = element.getBoundingClientRect()
  if (box.width === 0 || box.height === 0) return []
  const found: SVGElement[] = []
  const [x, y] = [box.left - left, box.top - top]
  if (isPaint(style.backgroundColor))
    found.push(
      make('rect', {
        ...{ x, y, width: box.width, height: box.height, fill: style.backgroundColor },
        rx: Number.parseFloat(style.borderTopLeftRadius) || 0,
      }),
    )
  const edge = Number.parseFloat(style.borderTopWidth)
  if (edge > 0 && style.borderTopStyle !== 'none' && isPaint(style.borderTopColor))
    found.push(
      make('line', {
        ...{ x1: x, x2: x + box.width, y1: y + edge / 2, y2: y + edge / 2 },
        stroke: style.borderTopColor,
        'stroke-width': edge,
        ...(style.borderTopStyle === 'dashed' && { 'stroke-dasharray': '4 3' }),
      }),
    )
  return found
}

/** The panel as it is seen now. */
export function pictureOf(panel: Element): Picture {
  const { left, top, width, height } = panel.getBoundingClientRect()
  const root = make('svg', { width, height, viewBox: `0 0 ${round(width)} ${round(height)}` })
  root.setAttribute('xmlns', NAMESPACE)
  const walk = (node: Node): void => {
    if (node instanceof Text) {
      root.append(...wordsOf(node, left, top))
      return
    }
    if (!(node instanceof Element) || (node !== panel && node.matches(controls))) return
    const style = getComputedStyle(node)
    if (style.display === 'none' || style.visibility === 'hidden') return
    const box = node.getBoundingClientRect()
    if (node instanceof SVGSVGElement) {
      root.append(frozen(node, box.left - left, box.top - top))
      return
    }
    if (node instanceof HTMLCanvasElement) {
      const place = { x: box.left - left, y: box.top - top, width: box.width, height: box.height }
      if (node.width > 0 && node.height > 0)
        root.append(make('image', { ...place, href: node.toDataURL('image/png') }))
      return
    }
    root.append(...boxOf(node, left, top))
    node.childNodes.forEach(walk)
  }
  walk(panel)
  return { svg: new XMLSerializer().serializeToString(root), width, height }
}

/** The same as a PNG at twice the size. Rejects when the picture cannot be drawn. */
export async function pngOf({ svg, width, height }: Picture, scale = 2): Promise<Blob> {
  const address = URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' }))
  try {
    const image = new Image()
    image.src = address
    await image.decode()
    const canvas = document.createElement('canvas')
    canvas.width = Math.ceil(width * scale)
    canvas.height = Math.ceil(height * scale)
    canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height)
    return await new Promise((resolve, reject) =>
      canvas.toBlob(
        (blob) => (blob ? resolve(blob) : reject(new Error(t('the picture could not be drawn')))),
        'image/png',
      ),
    )
  } finally {
    URL.revokeObjectURL(address)
  }
}
