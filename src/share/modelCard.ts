// README.md of a merge: enough to make it again. The exporter writes it beside the weights; the page shows it.

import type { Experiment } from '../../workers/api.ts'
import { normaliseWeights } from './experimentKey.ts'
import { findMethod } from './methods.ts'

export interface CardFacts
  extends Pick<
    Experiment,
    'method' | 'lambdaAlign' | 'rank' | 'damping' | 'metric' | 'source' | 'fisher' | 'seed'
  > {
  parameters?: Experiment['parameters'] | undefined
  anchor: string
  experts: readonly { name: string; weight: number }[]
  /** type of the written weights; left out where nothing is written */ dtype?: string
}

/** Names come from files: nothing of them may end a table or a heading. */
const plain = (name: string): string => name.replace(/[\r\n|#<>]/g, ' ').trim()

/** Markdown with its front matter. */
export function modelCard(facts: CardFacts): string {
  const declaration = findMethod(facts.method)
  const label = declaration?.label ?? facts.method
  const weights = normaliseWeights(facts.experts.map(({ weight }) => weight))
  const experts = facts.experts.map(({ name }, k) => `| ${plain(name)} | ${(weights[k] ?? 0).toFixed(4)} |`)
  const own = Object.entries(facts.parameters ?? {}).map(([id, value]) => `| ${id} | ${value} |\n`)
  return `---
tags: [merge, alignmerge-studio]
---
# ${label} of ${facts.experts.map(({ name }) => plain(name)).join(' + ')}

Anchor: ${plain(facts.anchor)}. Method: ${label}${declaration ? ` (${declaration.source.text})` : ''}.

| expert | weight λ_k |
|---|---|
${experts.join('\n')}

| parameter | value |
|---|---|
| λ_align | ${facts.lambdaAlign} |
| rank m | ${facts.rank} |
| damping ρ | ${facts.damping} |
| metric | ${facts.metric} |
| source of A | ${facts.source} |
| Fisher | ${facts.fisher.labels} labels, ${facts.fisher.form} form |
${own.join('')}| seed | ${facts.seed} |
${facts.dtype === undefined ? '' : `| weights | ${facts.dtype} |\n`}
Behaviour is not implied by any of these numbers: measure refusal, over-refusal and your tasks before use.
`
}

/** What to cite: the paper whose method this is after, and the tool that the numbers are from. */
export const bibtex = `@misc{roy2025alignmerge,
  title         = {AlignMerge - Alignment-Preserving Large Language Model Merging via Fisher-Guided Geometric Constraints},
  author        = {Roy, Aniruddha and Patel, Jyoti and Chadha, Aman and Jain, Vinija and Das, Amitava},
  year          = {2025},
  eprint        = {2512.16245},
  archivePrefix = {arXiv},
  primaryClass  = {cs.AI}
}

@software{alignmergestudio,
  title = {AlignMerge Studio},
  note  = {Merging of language models in the browser, with measures of alignment; reconstruction of parts that the paper leaves open}
}
`
