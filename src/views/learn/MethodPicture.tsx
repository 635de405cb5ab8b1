// A method in two weights: base, experts, where the merge lands, and its way along one parameter. All points were
// computed by the method's own float64 reference.

import { useId } from 'react'
import type { MethodPicture as Picture, Point } from '../../help/index.ts'
import { t } from '../../language/translate.ts'
import { PlainText } from './HelpText.tsx'

const size = { width: 220, height: 150, margin: 20 } as const

interface Frame {
  x: (value: number) => number
  y: (value: number) => number
}

/** One scale for both weights, so that angles are angles. */
function frameOf(points: readonly Point[]): Frame {
  const xs = points.map(({ x }) => x)
  const ys = points.map(({ y }) => y)
  const [left, right] = [Math.min(...xs), Math.max(...xs)]
  const [bottom, top] = [Math.min(...ys), Math.max(...ys)]
  const inner = { width: size.width - 2 * size.margin, height: size.height - 2 * size.margin }
  const scale = Math.min(
    inner.width / Math.max(right - left, 1e-9),
    inner.height / Math.max(top - bottom, 1e-9),
  )
  const [midX, midY] = [(left + right) / 2, (bottom + top) / 2]
  return {
    x: (value) => size.width / 2 + (value - midX) * scale,
    y: (value) => size.height / 2 - (value - midY) * scale,
  }
}

const spaceTexts = {
  'two weights': () => t('The axes are two weights.'),
  'diagonal of a 2 × 2 matrix': () => t('The axes are the diagonal of a 2 × 2 matrix.'),
  'two weights in four layers': () => t('The axes are two weights; one dot for each of four layers.'),
} as const

/** How the picture is to be read, in one sentence each. */
function captionOf({ space, path, merged, shown }: Picture): string {
  const settings = Object.entries(shown).map(([id, value]) => `${id} ${String(value)}`)
  return [
    spaceTexts[space](),
    merged.length > 1 && space === 'two weights'
      ? t('Dots: {count} outcomes of 64 draws.', { count: merged.length })
      : '',
    path
      ? t('Line: {parameter} from {from} to {to}.', {
          parameter: path.parameter.includes('_') ? `\`${path.parameter}\`` : t(path.parameter),
          from: path.from,
          to: path.to,
        })
      : '',
    settings.length > 0 ? t('Drawn with {settings}.', { settings: settings.join(', ') }) : '',
  ]
    .filter(Boolean)
    .join(' ')
}

const pair = ({ x, y }: Point): string => `${x.toFixed(2)}, ${y.toFixed(2)}`.replaceAll('-', '−')

export function MethodPicture({ picture, label }: { picture: Picture; label: string }) {
  const { base, experts, others, merged, path } = picture
  const titleId = useId()
  const origin = base ?? { x: 0, y: 0 }
  const { x, y } = frameOf([
    origin,
    ...experts,
    ...others.map(({ at }) => at),
    ...merged,
    ...(path?.points ?? []),
  ])
  const places = [
    ...(base ? [t('base at {place}', { place: pair(base) })] : []),
    ...experts.map((at, k) => t('expert {k} at {place}', { k: k + 1, place: pair(at) })),
    ...(merged.length === 1 ? [t('merge at {place}', { place: pair(merged[0]!) })] : []),
  ]
  return (
    <figure className="method-picture">
      <svg viewBox={`0 0 ${size.width} ${size.height}`} role="img" aria-labelledby={titleId}>
        <title id={titleId}>
          {t('{method} with two weights: {places}', { method: label, places: places.join('; ') })}
        </title>
        {experts.map((at) => (
          <line
            key={pair(at)}
            className="picture-task"
            x1={x(origin.x)}
            y1={y(origin.y)}
            x2={x(at.x)}
            y2={y(at.y)}
          />
        ))}
        {path && (
          <polyline
            className="picture-path"
            points={path.points.map((at) => `${x(at.x).toFixed(1)},${y(at.y).toFixed(1)}`).join(' ')}
          />
        )}
        {base && <rect className="picture-base" x={x(base.x) - 4} y={y(base.y) - 4} width={8} height={8} />}
        {!base && <path className="picture-base" d={`M${x(0) - 4} ${y(0)}h8M${x(0)} ${y(0) - 4}v8`} />}
        {others.map(({ label: name, at }) => (
          <g key={name} className="picture-other">
            <circle cx={x(at.x)} cy={y(at.y)} r={4} />
            <text x={x(at.x) + 7} y={y(at.y) + 4}>
              {t(name)}
            </text>
          </g>
        ))}
        {experts.map((at, k) => (
          <g key={pair(at)} className="picture-expert">
            <circle cx={x(at.x)} cy={y(at.y)} r={4.5} />
            <text x={x(at.x)} y={y(at.y) - 8} textAnchor="middle">
              {k + 1}
            </text>
          </g>
        ))}
        {merged.map((at) => (
          <circle
            key={pair(at)}
            className="picture-merge"
            cx={x(at.x)}
            cy={y(at.y)}
            r={merged.length > 8 ? 3 : 5}
          />
        ))}
      </svg>
      <figcaption>
        <PlainText text={captionOf(picture)} />
      </figcaption>
    </figure>
  )
}
