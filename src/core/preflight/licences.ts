// What the cards say about licences, side by side. A reading aid and no legal advice: it names what should be read.

import type { Finding, ModelFacts } from './inspectModel.ts'

/** Licences that people stumble over, by how the hub spells them, and why. */
const REMARKS: readonly [RegExp, string][] = [
  [/(^|-)nc($|-)|non-?commercial|research/, 'does not allow commercial use'],
  [/^llama/, 'asks that derivatives be named after Llama and carry its licence'],
  [/^gemma/, 'carries terms of use on to every derivative'],
  [/-sa($|-)|^a?gpl/, 'asks that derivatives carry the same licence'],
  [/-nd($|-)/, 'does not allow derivatives, and a merge is one'],
]

export function compareLicences(models: readonly ModelFacts[]): Finding[] {
  const findings: Finding[] = []
  for (const { name, card } of models) {
    const { licence } = card
    if (licence === undefined) {
      findings.push({ level: 'note', topic: 'licence', model: name, message: 'its card names no licence' })
      continue
    }
    for (const [pattern, remark] of REMARKS)
      if (pattern.test(licence))
        findings.push({
          ...{
            level: remark.startsWith('does not allow derivatives') ? 'warning' : 'note',
            topic: 'licence',
          },
          ...{ model: name, message: `licence ${licence} ${remark}` },
        })
  }
  const known = new Set(models.flatMap(({ card }) => card.licence ?? []))
  if (known.size > 1)
    findings.push({
      ...{ level: 'warning', topic: 'licence' },
      message: `the models have ${known.size} licences: ${[...known].join(', ')}`,
      remedy: 'a merge has to keep all of them',
    })
  return findings
}
