import type { SelfTestResult } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import { TableScroll } from '../controls/TableScroll.tsx'
import { formatSignificant } from '../format.ts'

const total = (rows: SelfTestResult['rows'], field: 'checks' | 'failed') =>
  rows.reduce((sum, row) => sum + row[field], 0)

/** Every kernel and family on this adapter against stored vectors; what failed comes first. */
export function SelfTestView({ result }: { result: SelfTestResult }) {
  const { adapter, rows, passed, durationMs } = result
  const sorted = [...rows].sort((a, b) => b.failed - a.failed)
  return (
    <section className="panel opinion" aria-labelledby="selftest-title">
      <header className="panel-head">
        <h2 id="selftest-title">{t('Self-test')}</h2>
        <p className="muted">
          {t('{adapter}: {passed} of {total} checks agree with the stored vectors, {seconds} s', {
            adapter,
            passed: total(rows, 'checks') - total(rows, 'failed'),
            total: total(rows, 'checks'),
            seconds: formatSignificant(durationMs / 1000, 2),
          })}
        </p>
      </header>
      {!passed && (
        <p className="panel-alert" role="alert">
          {t(
            'This adapter computes wrong numbers, so nothing is merged on it. Update the browser or the graphics driver, or use another adapter, and test again.',
          )}
        </p>
      )}
      <TableScroll label={t('Self-test')} className="table-tall">
        <table>
          <thead>
            <tr>
              <th scope="col">{t('Kernel or model')}</th>
              <th scope="col">{t('checks')}</th>
              <th scope="col">{t('failed')}</th>
              <th scope="col">{t('verdict')}</th>
              <th scope="col">{t('first difference')}</th>
            </tr>
          </thead>
          <tbody>
            {sorted.map(({ name, checks, failed, misses }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>{checks}</td>
                <td>{failed}</td>
                <td>
                  <span className={failed === 0 ? 'badge is-kept' : 'badge is-violated'}>
                    {failed === 0 ? t('agrees') : t('differs')}
                  </span>
                </td>
                <td className="cell-text">{misses[0] ?? ''}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableScroll>
    </section>
  )
}
