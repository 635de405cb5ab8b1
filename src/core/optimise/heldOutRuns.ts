// Keeps held-out questions out of made-up ones. A question is refused that is a held-out probe, or that shares with
// one a run of three or more words which no estimating probe has: for a request that is its verb with its object, for
// a list its elements in their order. Ours, after the n-gram checks by which training data are cleaned of test data.

import type { ProbeFile } from '../evaluate/probes.ts'

/** Shortest run of words that counts. */
const RUN = 3

/** Words and single digits in lower case; marks are left out. */
export const wordsOf = (text: string): string[] => text.toLowerCase().match(/\p{L}[\p{L}'’]*|\p{N}/gu) ?? []

function runsOf(words: readonly string[], longest: number): string[] {
  const runs: string[] = []
  for (let from = 0; from < words.length; from++)
    for (let length = RUN; length <= longest && from + length <= words.length; length++)
      runs.push(words.slice(from, from + length).join(' '))
  return runs
}

export class HeldOutRuns {
  private readonly texts = new Set<string>()
  private readonly runs = new Set<string>()
  private readonly longest: number

  constructor({ items }: Pick<ProbeFile, 'items'>) {
    const split = (name: string) =>
      items.filter((probe) => probe.split === name).map(({ prompt }) => wordsOf(prompt))
    const heldOut = split('heldout')
    this.longest = Math.max(RUN, ...heldOut.map((words) => words.length))
    for (const words of heldOut) {
      this.texts.add(words.join(' '))
      for (const run of runsOf(words, this.longest)) this.runs.add(run)
    }
    for (const words of split('estimate'))
      for (const run of runsOf(words, this.longest)) this.runs.delete(run)
  }

  /** True for a question that must not be used. */
  has(question: string): boolean {
    const words = wordsOf(question)
    return this.texts.has(words.join(' ')) || runsOf(words, this.longest).some((run) => this.runs.has(run))
  }
}
