// The toy's requests, and where anchor, average and merge draw the line between refusing and helping.

import { refusalOf, type ToySolution } from '../../core/toy/fisherToy.ts'
import { t } from '../../language/translate.ts'
import { movePoint, toyReach } from '../../state/learn/actions.ts'
import type { Toy, ToyPlace } from '../../state/learn/store.ts'
import { frameOf, Handle, ToyPlane } from './ToyPlane.tsx'

const reach = toyReach.requests
const frame = frameOf(reach)

/** θᵀx = 0 across the plane; nothing for a model without a direction. */
function Boundary({ theta, kind }: { theta: ToyPlace; kind: string }) {
  const size = Math.hypot(theta.x, theta.y)
  if (size < 1e-9) return null
  const along = { x: (-theta.y / size) * 4 * reach, y: (theta.x / size) * 4 * reach }
  return (
    <line
      className="toy-boundary"
      data-kind={kind}
      x1={frame.x(-along.x)}
      y1={frame.y(-along.y)}
      x2={frame.x(along.x)}
      y2={frame.y(along.y)}
    />
  )
}

export function RequestPlane({ toy, solution }: { toy: Toy; solution: ToySolution }) {
  return (
    <ToyPlane
      reach={reach}
      label={t('Requests: harmful ones are squares, harmless ones circles')}
      xLabel="x₁"
      yLabel="x₂"
    >
      <Boundary theta={toy.anchor} kind="anchor" />
      <Boundary theta={solution.average} kind="average" />
      <Boundary theta={solution.merge} kind="merge" />
      {toy.points.map((point, index) => {
        const percent = (theta: ToyPlace) => `${(100 * refusalOf(theta, point)).toFixed(0)} %`
        const key = `${index}`
        return (
          <Handle
            key={key}
            at={point}
            reach={reach}
            className={point.isHarmful ? 'is-unsafe' : 'is-safe'}
            label={
              point.isHarmful
                ? t('Harmful request {k}', { k: index + 1 })
                : t('Harmless request {k}', { k: index + 1 })
            }
            valueText={t('{x}, {y}; refused by the anchor {anchor}, by the merge {merge}', {
              x: point.x.toFixed(2),
              y: point.y.toFixed(2),
              anchor: percent(toy.anchor),
              merge: percent(solution.merge),
            })}
            onMove={(to) => movePoint(index, to)}
          >
            {point.isHarmful ? (
              <rect className="toy-mark" x={-5} y={-5} width={10} height={10} />
            ) : (
              <circle className="toy-mark" r={5.5} />
            )}
          </Handle>
        )
      })}
    </ToyPlane>
  )
}
