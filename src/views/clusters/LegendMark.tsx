import type { ClusterLayer } from '../charts/clusterLayers.ts'

/** The mark of a layer beside its name. */
export function LegendMark({ mark, colour }: Pick<ClusterLayer, 'mark' | 'colour'>) {
  const stroke = `var(${colour})`
  const look = mark === 'ring' || mark === 'square' ? { fill: 'none', stroke } : { fill: stroke }
  return (
    <svg className="legend-dot" viewBox="0 0 10 10" aria-hidden="true">
      {mark === 'diamond' ? (
        <path d="M5,0.8L9.2,5L5,9.2L0.8,5z" {...look} />
      ) : mark === 'square' ? (
        <rect x="1.7" y="1.7" width="6.6" height="6.6" strokeWidth="1.3" {...look} />
      ) : (
        <circle cx="5" cy="5" r="3.4" strokeWidth="1.3" {...look} />
      )}
    </svg>
  )
}
