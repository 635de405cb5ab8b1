// Results outlive versions, in links and beside the page. Each entry turns results of version n, without their `v`, into
// those of version n + 1; they are upgraded step by step and then read as the current version. Never change an entry
// once it has shipped.

import { type Reader, Refusal } from '../reader.ts'
import { type Upgrade, upgradeContent } from '../upgrades.ts'
import { resultsVersion } from './format.ts'

/** Version 1 is the first. */
export const resultsUpgrades: Readonly<Record<number, Upgrade>> = {}

/** Results of any version up to `newest` as those of `newest`, without their `v`. Throws `Refusal`. */
export function upgradeResults(
  reader: Reader,
  value: unknown,
  newest: number = resultsVersion,
  table: Readonly<Record<number, Upgrade>> = resultsUpgrades,
): unknown {
  const { v, ...content } = reader.record(value, 'results')
  const version = reader.count(v, 'results.v', 1e6)
  if (version > newest)
    throw new Refusal(
      `results have version ${version}, made by a newer studio; this one reads up to version ${newest}. Reload the page for the newest studio`,
    )
  let upgraded: { content: unknown } | undefined
  try {
    upgraded = upgradeContent(content, version, newest, table)
  } catch {
    throw new Refusal(`results are not those of version ${version}`)
  }
  if (!upgraded) throw new Refusal(`results have version ${version}, which was never in use`)
  return upgraded.content
}
