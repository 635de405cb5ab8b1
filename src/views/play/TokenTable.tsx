import type { TokenComparison } from '../../../workers/api/play.ts'
import { t } from '../../language/translate.ts'
import { csvField } from '../../share/csv.ts'
import {
  formatNats,
  formatProbability,
  formatSigned,
  probabilityOf,
  ratioOf,
  visibleToken,
} from './tokenMeasures.ts'

/** All numbers of a comparison, a row per token. */
export function TokenTable({ comparison, names }: { comparison: TokenComparison; names: string[] }) {
  const { tokens, models } = comparison
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolled table must be reachable by keyboard
    <section className="table-scroll table-tall" aria-label={t('Numbers of every token')} tabIndex={0}>
      <table className="play-token-table">
        <thead>
          <tr>
            <th scope="col">{t('Token')}</th>
            {names.map((name, m) => (
              <th key={name} scope="col">
                {name}
                <br />
                <small>{m === 0 ? t('p, rank') : t('p, rank, ratio and KL in nats')}</small>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {tokens.map(({ text }, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a token is its place
            <tr key={i}>
              <th scope="row">
                <code>{visibleToken(text)}</code>
              </th>
              {models.map(({ ranks, divergences }, m) => (
                <td key={names[m]}>
                  {formatProbability(probabilityOf(comparison, m, i))} · {ranks[i]}
                  {m > 0 && ` · ${formatSigned(ratioOf(comparison, m, i))} · ${formatNats(divergences[i]!)}`}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

/** The same as CSV, in full precision; natural logarithms. */
export function tokensAsCsv(comparison: TokenComparison, names: readonly string[]): string {
  const { tokens, models } = comparison
  const head = [
    'position',
    'id',
    'token',
    ...names.flatMap((name, m) => [
      `log probability: ${name}`,
      `rank: ${name}`,
      ...(m > 0 ? [`log-likelihood ratio to ${names[0]}: ${name}`, `KL to ${names[0]}: ${name}`] : []),
    ]),
  ]
  const rows = tokens.map(({ id, text }, i) => [
    String(i + 1),
    String(id),
    text,
    ...models.flatMap(({ logProbabilities, ranks, divergences }, m) => [
      String(logProbabilities[i]),
      String(ranks[i]),
      ...(m > 0 ? [String(ratioOf(comparison, m, i)), String(divergences[i])] : []),
    ]),
  ])
  return `${[head, ...rows].map((row) => row.map(csvField).join(',')).join('\r\n')}\r\n`
}
