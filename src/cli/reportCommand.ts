// What the commands share that measure the built-in models and write a page of docs/ with its numbers as JSON beside
// it: their options, where they read and write, and the finished rows from which a stopped run goes on.

import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { RowCache } from './resultsCache.ts'
import { SEEDS } from './resultsPlan.ts'

/** Options that not every report has: its text in the usage line, and the numbers it takes. */
const OWN = {
  seed: { usage: '[--seed N]', initial: '1', form: /^\d{1,9}$/, expected: 'a whole number' },
  seeds: { usage: '[--seeds N]', initial: String(SEEDS.length), form: /^[1-9]$/, expected: '1 to 9' },
  families: { usage: '[--families]' },
} as const

export interface ReportCommand {
  /** as npm runs it */ name: string
  /** the page, where no other is asked for */ out: string
  takes: readonly (keyof typeof OWN)[]
}

export interface ReportArguments {
  zoo: string
  out: string
  /** 1 where it is not taken */ seed: number
  /** how many, from 1 */ seeds: number
  /** few probes */ isQuick: boolean
  /** forget finished rows */ isFresh: boolean
  /** write the page anew from its numbers, without measuring */ isRender: boolean
  /** the micro families, not the built-in models */ isFamilies: boolean
}

const flag = { type: 'boolean', default: false } as const

/** What is asked for, or what is wrong with it. */
export function readReportArguments(
  args: readonly string[],
  { out, takes }: ReportCommand,
): ReportArguments | string {
  const options = {
    zoo: { type: 'string', default: 'public/zoo' },
    out: { type: 'string', default: out },
    seed: { type: 'string', default: OWN.seed.initial },
    seeds: { type: 'string', default: OWN.seeds.initial },
    quick: flag,
    fresh: flag,
    render: flag,
    families: flag,
  } as const
  let parsed: ReturnType<typeof parseArgs<{ options: typeof options; tokens: true }>>
  try {
    parsed = parseArgs({ args: [...args], options, tokens: true })
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  const { values, tokens } = parsed
  const foreign = Object.keys(OWN).filter((name) => !takes.some((own) => own === name))
  const unknown = tokens.find((token) => token.kind === 'option' && foreign.includes(token.name))
  if (unknown?.kind === 'option') return `Unknown option '${unknown.rawName}'`
  for (const name of ['seed', 'seeds'] as const)
    if (!OWN[name].form.test(values[name]))
      return `--${name}: found ${values[name]}, expected ${OWN[name].expected}`
  if (!values.out.endsWith('.md')) return `--out: found ${values.out}, expected a file that ends in .md`
  return {
    zoo: values.zoo,
    out: values.out,
    seed: Number(values.seed),
    seeds: Number(values.seeds),
    isQuick: values.quick,
    isFresh: values.fresh,
    isRender: values.render,
    isFamilies: values.families,
  }
}

/** One line that names every option. */
export const usageOf = ({ name, takes }: ReportCommand): string =>
  [
    `usage: npm run ${name} -- [--zoo FOLDER] [--out FILE.md]`,
    ...takes.map((own) => OWN[own].usage),
    '[--quick] [--fresh] [--render]',
  ].join(' ')

/** Paths of a report, taken from where npm was called. */
export function reportPaths({ zoo, out }: Pick<ReportArguments, 'zoo' | 'out'>) {
  const here = process.env.INIT_CWD ?? process.cwd()
  const page = resolve(here, out)
  return { zoo: resolve(here, zoo), page, numbers: page.replace(/\.md$/, '.json') }
}

/** Finished rows of earlier runs, kept in .cache of the project. */
export async function keptRows(name: string, isFresh: boolean): Promise<RowCache> {
  const path = resolve(import.meta.dirname, `../../.cache/${name}.jsonl`)
  if (isFresh) await rm(path, { force: true })
  return RowCache.open(path)
}

/** Writes page and numbers, and says how long the measuring took. */
export async function writeReport(
  { page, numbers }: ReturnType<typeof reportPaths>,
  text: string,
  json: string,
  seconds: number,
): Promise<void> {
  await mkdir(dirname(page), { recursive: true })
  await writeFile(page, text)
  await writeFile(numbers, `${json}\n`)
  console.log(`${page}: ${seconds.toFixed(0)} s`)
}

/** The `main` of a report: what is asked for is checked and its paths are found before anything runs. */
export const reportMain =
  (
    command: ReportCommand,
    run: (options: ReportArguments, paths: ReturnType<typeof reportPaths>) => Promise<number>,
  ) =>
  async (args: string[]): Promise<number> => {
    const options = readReportArguments(args, command)
    if (typeof options !== 'string') return run(options, reportPaths(options))
    console.error(`${options}\n${usageOf(command)}`)
    return 2
  }
