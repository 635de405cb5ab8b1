// The toy's models as points of the plane of weights: anchor, experts with the ellipses of their Fisher information,
// the means, the direction u and the merge that slides along it.

import type { ToySolution } from '../../core/toy/fisherToy.ts'
import { ellipseOf, type Symmetric } from '../../core/toy/plane.ts'
import { t } from '../../language/translate.ts'
import { moveAnchor, moveExpert, toyReach } from '../../state/learn/actions.ts'
import type { Toy, ToyPlace } from '../../state/learn/store.ts'
import { frameOf, Handle, planeSize, ToyPlane } from './ToyPlane.tsx'

const reach = toyReach.weights
const frame = frameOf(reach)
/** ‖v‖ of the ellipses: ½ · 0.5² is an eighth of a nat over all requests. */
const level = 0.5

export const placeText = ({ x, y }: ToyPlace): string =>
  `${x.toFixed(2)}, ${y.toFixed(2)}`.replaceAll('-', '−')

function FisherEllipse({ at, fisher, kind }: { at: ToyPlace; fisher: Symmetric; kind: string }) {
  const { radii, angle } = ellipseOf(fisher, level)
  // A metric that sees nothing in a direction has an ellipse without end: it is drawn out of the picture.
  const radius = (value: number) => Math.min(value * frame.scale, 20 * planeSize)
  return (
    <ellipse
      className="toy-ellipse"
      data-kind={kind}
      rx={radius(radii[0])}
      ry={radius(radii[1])}
      transform={`translate(${frame.x(at.x)} ${frame.y(at.y)}) rotate(${(-180 * angle) / Math.PI})`}
    />
  )
}

/** A straight line through a point. */
function Line({ at, along, kind }: { at: ToyPlace; along: ToyPlace; kind: string }) {
  const by = (8 * reach) / Math.max(Math.hypot(along.x, along.y), 1e-9)
  return (
    <line
      className="toy-line"
      data-kind={kind}
      x1={frame.x(at.x - by * along.x)}
      y1={frame.y(at.y - by * along.y)}
      x2={frame.x(at.x + by * along.x)}
      y2={frame.y(at.y + by * along.y)}
    />
  )
}

export function WeightPlane({ toy, solution }: { toy: Toy; solution: ToySolution }) {
  const { metric, expertFishers, directions, average, fisherAverage, merge, shielded } = solution
  const u = directions[0]
  // What lies at right angles to u in G: (x, y) with uᵀG(x, y) = 0.
  const seen = u && { x: metric.xx * u.x + metric.xy * u.y, y: metric.xy * u.x + metric.yy * u.y }
  return (
    <ToyPlane reach={reach} label={t('Models as points: two weights each')} xLabel="θ₁" yLabel="θ₂">
      <FisherEllipse at={toy.anchor} fisher={metric} kind="anchor" />
      {toy.experts.map(({ at }, k) => {
        const key = `${k}`
        return <FisherEllipse key={key} at={at} fisher={expertFishers[k]!} kind="expert" />
      })}
      {u && toy.rank === 1 && <Line at={average} along={u} kind="direction" />}
      {seen && toy.rank === 1 && <Line at={toy.anchor} along={{ x: -seen.y, y: seen.x }} kind="kept" />}
      <line
        className="toy-slide"
        x1={frame.x(average.x)}
        y1={frame.y(average.y)}
        x2={frame.x(shielded.x)}
        y2={frame.y(shielded.y)}
      />
      <g className="toy-mean">
        <path transform={`translate(${frame.x(average.x)} ${frame.y(average.y)})`} d="M0-6L6 0L0 6L-6 0Z" />
        <path
          transform={`translate(${frame.x(fisherAverage.x)} ${frame.y(fisherAverage.y)})`}
          d="M0-6L6 5H-6Z"
        />
        <circle className="toy-merge" r={6} cx={frame.x(merge.x)} cy={frame.y(merge.y)} />
      </g>
      <Handle
        at={toy.anchor}
        reach={reach}
        className="is-anchor"
        label={t('Anchor')}
        valueText={placeText(toy.anchor)}
        onMove={moveAnchor}
      >
        <rect className="toy-mark" x={-5.5} y={-5.5} width={11} height={11} />
      </Handle>
      {toy.experts.map(({ at }, k) => {
        const key = `${k}`
        return (
          <Handle
            key={key}
            at={at}
            reach={reach}
            className="is-expert"
            label={t('Expert {k}', { k: k + 1 })}
            valueText={placeText(at)}
            onMove={(to) => moveExpert(k, to)}
          >
            <circle className="toy-mark" r={7} />
            <text className="toy-number" textAnchor="middle" y={3.8}>
              {k + 1}
            </text>
          </Handle>
        )
      })}
    </ToyPlane>
  )
}
