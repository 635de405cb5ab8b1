// What shade, ring, hatching and cross mean on a map.

import { t } from '../../language/translate.ts'
import { ringRadius, shadeOf } from '../charts/MapCells.tsx'
import { type MeasureScale, placeOn } from './sheetMeasures.ts'

const stops = [0, 0.25, 0.5, 0.75, 1]
/** Half-widths of the rings that the legend shows, as shares of the scale. */
const sampleWidths = [0.1, 0.3]

export interface MapLegendProps {
  scale: MeasureScale
  unit: string
  /** of the map's largest ring, pixels */
  reach: number
  hasFailed: boolean
}

export function MapLegend({ scale, unit, reach, hasFailed }: MapLegendProps) {
  const [low, high] = scale.domain
  const gradient = stops.map((stop) => `${shadeOf(stop)} ${100 * stop}%`).join(', ')
  return (
    <div className="map-legend">
      <div className="map-scale" aria-hidden="true">
        <div className="map-gradient" style={{ background: `linear-gradient(to right, ${gradient})` }} />
        {scale.ticks.map((tick) => (
          <span key={tick} className="map-tick" style={{ left: `${100 * placeOn(scale, tick)}%` }}>
            {scale.format(tick)}
          </span>
        ))}
      </div>
      <p className="visually-hidden">
        {t('Colour scale from {low} to {high} {unit}', {
          low: scale.format(low),
          high: scale.format(high),
          unit,
        })}
      </p>
      <ul className="legend">
        {sampleWidths.map((share) => (
          <li key={share}>
            <Ring radius={ringRadius(share, reach)} />± {scale.format(share * (high - low))}
          </li>
        ))}
        <li>
          <span className="map-sample is-waiting" aria-hidden="true" />
          {t('not measured yet')}
        </li>
        {hasFailed && (
          <li>
            <svg className="map-sample" viewBox="0 0 18 18" aria-hidden="true">
              <path d="M4,4l10,10m0,-10l-10,10" stroke="var(--bad)" strokeWidth="2" />
            </svg>
            {t('failed')}
          </li>
        )}
      </ul>
    </div>
  )
}

/** As large as on the map. */
function Ring({ radius }: { radius: number }) {
  const size = Math.ceil(2 * radius + 2)
  return (
    <svg width={size} height={size} aria-hidden="true">
      <circle cx={size / 2} cy={size / 2} r={radius} fill="none" stroke="var(--ink)" strokeWidth="1.2" />
    </svg>
  )
}
