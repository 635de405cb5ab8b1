import { t } from '../../language/translate.ts'
import type { OpinionSet } from '../../state/slices/runs.ts'
import { TableScroll } from '../controls/TableScroll.tsx'
import { formatSignificant } from '../format.ts'

/** The same weights through another runtime: how far the logits differ. */
export function OpinionView({ set, isCurrent }: { set: OpinionSet; isCurrent: boolean }) {
  return (
    <section className="panel opinion" aria-labelledby="opinion-title">
      <header className="panel-head">
        <h2 id="opinion-title">{t('Second opinion')}</h2>
        <p className="muted">
          {set.opinions[0]?.opinion.backend}
          {isCurrent ? '' : t(' — of another merge than the one on the page')}
        </p>
      </header>
      <TableScroll label={t('Second opinion')}>
        <table>
          <thead>
            <tr>
              <th scope="col">{t('Model')}</th>
              <th scope="col">{t('‖ours − theirs‖ / ‖theirs‖, all logits')}</th>
              <th scope="col">{t('bound')}</th>
              <th scope="col">{t('tokens')}</th>
              <th scope="col">{t('verdict')}</th>
            </tr>
          </thead>
          <tbody>
            {set.opinions.map(({ label, opinion }) => (
              <tr key={label}>
                <th scope="row">{label}</th>
                <td>{formatSignificant(opinion.relativeError, 2)}</td>
                <td>{formatSignificant(opinion.bound, 2)}</td>
                <td>{opinion.tokens}</td>
                <td>
                  <span className={opinion.passed ? 'badge is-kept' : 'badge is-violated'}>
                    {opinion.passed ? t('agrees') : t('differs')}
                  </span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableScroll>
    </section>
  )
}
