import { t } from '../../language/translate.ts'
import { type ClusterLayer, meanOf } from '../charts/clusterLayers.ts'
import { meanEllipse } from '../charts/meanEllipse.ts'
import { TableScroll } from '../controls/TableScroll.tsx'
import { formatPlace } from './formatSigma.ts'

/** The numbers of the picture: means, and how sure they are. */
export function MeansTable({ layers }: { layers: readonly ClusterLayer[] }) {
  return (
    <TableScroll label={t('Cluster means in the anchor’s plane, in σ')}>
      <table>
        <caption className="visually-hidden">{t('Cluster means in the anchor’s plane, in σ')}</caption>
        <thead>
          <tr>
            <th scope="col">{t('Cluster')}</th>
            <th scope="col">{t('Points')}</th>
            <th scope="col">{t('Mean, axis 1')}</th>
            <th scope="col">{t('Mean, axis 2')}</th>
            <th scope="col">{t('95 % ellipse')}</th>
          </tr>
        </thead>
        <tbody>
          {layers.map(({ id, label, points }) => {
            const mean = meanOf(points)
            const ellipse = meanEllipse(points)
            return (
              <tr key={id}>
                <th scope="row">{label}</th>
                <td>{points.length / 2}</td>
                <td>{mean ? formatPlace(mean.x) : t('no point')}</td>
                <td>{mean ? formatPlace(mean.y) : t('no point')}</td>
                <td>{ellipse ? `${ellipse.a.toFixed(2)} × ${ellipse.b.toFixed(2)}` : '·'}</td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </TableScroll>
  )
}
