// npm run results -- [--zoo public/zoo] [--out docs/results.md] [--seeds 3] [--quick] [--fresh] [--render] [--families]:
// merges the built-in models by every method, measures all of them at every seed and writes the tables, what they say,
// and the full numbers as JSON beside them. Finished rows are kept in .cache, so that a run that was stopped goes on;
// --fresh forgets them. --quick takes 64 probes of each class instead of 160, the least that AQI needs; --render writes
// the page anew from the JSON beside it; --families measures the micro families instead and adds their section to the
// page and the JSON that are there. Exit code 2 on wrong usage.

import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { openZoo } from './openZoo.ts'
import { RowCache } from './resultsCache.ts'
import { runFamilies } from './resultsFamilies.ts'
import { resultsPage } from './resultsPage.ts'
import { SEEDS } from './resultsPlan.ts'
import { type Results, runResults } from './resultsRun.ts'

const PER_CLASS = 160
const QUICK_PER_CLASS = 64
const ABLATION_PER_CLASS = 160

interface Arguments {
  zoo: string
  out: string
  /** how many, from 1 */ seeds: number
  perClass: number
  /** forget finished rows */ isFresh: boolean
  /** no measuring */ isRender: boolean
  /** the micro families, not the built-in models */ isFamilies: boolean
}

/** Undefined for anything that is not understood. */
export function readArguments(args: readonly string[]): Arguments | undefined {
  const found: Arguments = {
    zoo: 'public/zoo',
    out: 'docs/results.md',
    seeds: SEEDS.length,
    perClass: PER_CLASS,
    isFresh: false,
    isRender: false,
    isFamilies: false,
  }
  for (let i = 0; i < args.length; i++) {
    const value = args[i + 1]
    if (args[i] === '--quick') {
      found.perClass = QUICK_PER_CLASS
      continue
    }
    if (args[i] === '--fresh') {
      found.isFresh = true
      continue
    }
    if (args[i] === '--render') {
      found.isRender = true
      continue
    }
    if (args[i] === '--families') {
      found.isFamilies = true
      continue
    }
    if (value === undefined) return undefined
    if (args[i] === '--zoo') found.zoo = value
    else if (args[i] === '--out') found.out = value
    else if (args[i] === '--seeds' && /^[1-9]$/.test(value)) found.seeds = Number(value)
    else return undefined
    i++
  }
  return found.out.endsWith('.md') ? found : undefined
}

export async function main(args: string[]): Promise<number> {
  const options = readArguments(args)
  if (!options) {
    console.error(
      'usage: npm run results -- [--zoo FOLDER] [--out FILE.md] [--seeds N] [--quick] [--fresh] [--render] [--families]',
    )
    return 2
  }
  const here = process.env.INIT_CWD ?? process.cwd()
  const out = resolve(here, options.out)
  const numbers = out.replace(/\.md$/, '.json')
  const before = JSON.parse(await readFile(numbers, 'utf8').catch(() => 'null')) as Results | null
  const write = async (results: Results, seconds: number): Promise<number> => {
    await mkdir(dirname(out), { recursive: true })
    await writeFile(out, resultsPage(results))
    await writeFile(numbers, `${JSON.stringify(results, undefined, 1)}\n`)
    console.log(`${options.out}: ${seconds.toFixed(0)} s`)
    return 0
  }
  if ((options.isRender || options.isFamilies) && !before) {
    console.error(`${numbers}: expected the numbers of an earlier run`)
    return 2
  }
  if (options.isRender && before) {
    await writeFile(out, resultsPage(before))
    return 0
  }
  const kept = resolve(
    import.meta.dirname,
    `../../.cache/${options.isFamilies ? 'families' : 'results'}.jsonl`,
  )
  if (options.isFresh) await rm(kept, { force: true })
  const run = {
    perClass: options.perClass,
    seeds: Array.from({ length: options.seeds }, (_, i) => i + 1),
    cache: await RowCache.open(kept),
    log: (line: string) => console.log(line),
  }
  const zoo = resolve(here, options.zoo)
  if (options.isFamilies && before) {
    const families = await runFamilies(zoo, run)
    return write({ ...before, families }, families.seconds)
  }
  const { gpu, session, index } = await openZoo(zoo)
  const results = await runResults(session, index, {
    ...run,
    ablationPerClass: Math.min(options.perClass, ABLATION_PER_CLASS),
  })
  session.dispose()
  gpu.close()
  return write({ ...results, ...(before?.families && { families: before.families }) }, results.seconds)
}
