// What `npm run mutate` found, as one line and as docs/mutation.md.

import { MUTATION_CLASSES, type MutationClass } from '../testing/mutations.ts'
import type { KernelResult } from './mutate.ts'

/** Survivors of these classes fail the command. */
const MUST_BE_CAUGHT: readonly MutationClass[] = ['index', 'sign']

export function mutationReport(results: KernelResult[]): { page: string; summary: string; isGood: boolean } {
  const planted = results.flatMap((result) => result.planted)
  const survivors = results.flatMap((result) =>
    result.survivors.map((survivor) => ({ kernel: result.name, ...survivor })),
  )
  const same = survivors.filter(({ reason }) => reason !== undefined)
  const real = survivors.filter(({ reason }) => reason === undefined)
  const refused = results.reduce((sum, result) => sum + result.refused, 0)
  const caught = planted.length - survivors.length
  const isGood = !real.some(({ mutant }) => MUST_BE_CAUGHT.includes(mutant.kind))
  const row = (cells: (string | number)[]) => `| ${cells.join(' | ')} |`
  const count = (kind: MutationClass, list: { kind: MutationClass }[]) =>
    list.filter((mutant) => mutant.kind === kind).length
  const summary =
    `${planted.length} planted, ${caught} caught, ${same.length} equivalent, ${real.length} survived` +
    ` (${refused} more did not compile)`
  const classes = MUTATION_CLASSES.map((kind) => {
    const all = count(kind, planted)
    const kept = count(
      kind,
      real.map(({ mutant }) => mutant),
    )
    const equal = count(
      kind,
      same.map(({ mutant }) => mutant),
    )
    return row([kind, all, all - kept - equal, equal, kept])
  })
  const kernels = results.map(({ name, planted: all, survivors: left }) => {
    const equal = left.filter(({ reason }) => reason !== undefined).length
    return row([name, all.length, all.length - left.length, equal, left.length - equal])
  })
  const cell = (text: string) => text.replaceAll('|', '\\|')
  const list = (entries: typeof survivors, note: (entry: (typeof survivors)[number]) => string) =>
    entries.map((entry) =>
      row([
        entry.kernel,
        entry.mutant.kind,
        `\`${cell(entry.mutant.line)}\``,
        `\`${cell(entry.mutant.changed)}\``,
        note(entry),
      ]),
    )
  const page = [
    '# Planted bugs',
    '',
    'Written by `npm run mutate -- --write`. Every place of every kernel where an index, a sign, a term or a',
    'constant could be typed wrongly is changed once; the harness of `src/testing/checkKernel.ts` must notice.',
    'The class `barrier` deletes a barrier: no kernel has one, by design, so its count is 0.',
    '',
    `**${summary}.**`,
    '',
    '| class | planted | caught | equivalent | survived |',
    '| --- | ---: | ---: | ---: | ---: |',
    ...classes,
    '',
    '| kernel | planted | caught | equivalent | survived |',
    '| --- | ---: | ---: | ---: | ---: |',
    ...kernels,
    '',
    '`accessors` are the functions that `kernels/spec.ts` writes and `kernels/shared/packed.wgsl` holds.',
    '',
    '## Survived',
    '',
    ...(real.length === 0
      ? ['None.']
      : ['| kernel | class | line | became | |', '| --- | --- | --- | --- | --- |', ...list(real, () => '')]),
    '',
    '## Not to be noticed: nearly all compute the same values',
    '',
    '| kernel | class | line | became | why |',
    '| --- | --- | --- | --- | --- |',
    ...list(same, ({ reason }) => reason ?? ''),
    '',
  ].join('\n')
  return { page, summary, isGood }
}
