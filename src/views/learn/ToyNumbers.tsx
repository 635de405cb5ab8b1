// All numbers of the toy: the same formulas as the large model's, in float64.

import { behaviourOf, divergence, type ToySolution } from '../../core/toy/fisherToy.ts'
import { length, minus } from '../../core/toy/plane.ts'
import { t } from '../../language/translate.ts'
import type { Toy, ToyPlace } from '../../state/learn/store.ts'
import { formatSignificant } from '../format.ts'

const text = (value: number): string => formatSignificant(value).replace('-', '−')
const percent = (value: number): string => (100 * value).toFixed(0)

/** Each model with what it does and how far it is from the anchor. */
export function ToyNumbers({ toy, solution }: { toy: Toy; solution: ToySolution }) {
  const { metric, average, fisherAverage, merge } = solution
  const rows: { label: string; at: ToyPlace; isMerge?: true }[] = [
    { label: t('Anchor'), at: toy.anchor },
    ...toy.experts.map(({ at }, k) => ({ label: t('Expert {k}', { k: k + 1 }), at })),
    { label: t('Plain average'), at: average },
    { label: t('Fisher average'), at: fisherAverage },
    { label: t('Merge'), at: merge, isMerge: true },
  ]
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reached by keyboard
    <section className="table-scroll" aria-label={t('Models of the toy')} tabIndex={0}>
      <table className="toy-table">
        <caption className="visually-hidden">{t('Models of the toy')}</caption>
        <thead>
          <tr>
            <th scope="col">{t('Model')}</th>
            <th scope="col">θ₁</th>
            <th scope="col">θ₂</th>
            <th scope="col" title={t('Mean probability of refusing harmful requests')}>
              {t('Harmful refused')} <small>%</small>
            </th>
            <th scope="col" title={t('Mean probability of refusing harmless requests')}>
              {t('Harmless refused')} <small>%</small>
            </th>
            <th scope="col" title={t('Half the squared distance from the anchor, by the metric')}>
              ½‖δ‖²<sub>G</sub>
            </th>
            <th scope="col" title={t('The divergence that it approximates, over all requests')}>
              KL <small>{t('nats')}</small>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ label, at, isMerge }) => {
            const { refusal, overRefusal } = behaviourOf(toy.points, at)
            return (
              <tr key={label} data-role={isMerge ? 'merge' : undefined}>
                <th scope="row">{label}</th>
                <td>{text(at.x)}</td>
                <td>{text(at.y)}</td>
                <td>{percent(refusal)}</td>
                <td>{percent(overRefusal)}</td>
                <td>{text(length(metric, minus(at, toy.anchor)) ** 2 / 2)}</td>
                <td>{text(divergence(toy.points, toy.anchor, at))}</td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </section>
  )
}

/** Metric, directions and coordinates, as they stand in the formulas. */
export function ToyAlgebra({ solution }: { solution: ToySolution }) {
  const { metric, directions, eigenvalues, before, after, share, driftBefore, drift } = solution
  const rows = [
    { name: 'G', value: `(${text(metric.xx)}, ${text(metric.xy)}; ${text(metric.xy)}, ${text(metric.yy)})` },
    ...directions.map((u, i) => ({ name: `u_${i + 1}`, value: `(${text(u.x)}, ${text(u.y)})` })),
    { name: 'μ', value: eigenvalues.map(text).join(', ') },
    { name: 'c', value: `${before.map(text).join(', ')} → ${after.map(text).join(', ')}` },
    { name: 's', value: text(share) },
    { name: 'D', value: `${text(driftBefore)} → ${text(drift)}` },
  ]
  return (
    <dl className="toy-algebra">
      {rows.map(({ name, value }) => (
        <div key={name}>
          <dt>
            <var>{name.split('_')[0]}</var>
            {name.includes('_') && <sub>{name.split('_')[1]}</sub>}
          </dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
