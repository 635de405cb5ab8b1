// npm run weights -- [--zoo public/zoo] [--out docs/weights.md] [--seed 1] [--quick] [--fresh] [--render]: chooses the
// weights of merges of the built-in models by data, judges every choice on held-out probes, and writes the tables and
// the full numbers beside them. Finished rows are kept in .cache, so that a run that was stopped goes on; --fresh
// forgets them. --quick takes 64 probes of each class instead of 160; --render writes the page anew from the JSON
// beside it. Figures of the data mixtures come from mixtures.json beside the page, if it is there. Exit code 2 on
// wrong usage.

import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { MixtureResults } from '../../zoo/mixtureBuild.ts'
import { openZoo } from './openZoo.ts'
import { RowCache } from './resultsCache.ts'
import { weightsPage } from './weightsPage.ts'
import { runWeights, type WeightResults } from './weightsRun.ts'

const PER_CLASS = 160
const QUICK_PER_CLASS = 64

interface Arguments {
  zoo: string
  out: string
  seed: number
  perClass: number
  /** forget finished rows */ isFresh: boolean
  /** no measuring */ isRender: boolean
}

/** Undefined for anything that is not understood. */
export function readArguments(args: readonly string[]): Arguments | undefined {
  const found: Arguments = {
    zoo: 'public/zoo',
    out: 'docs/weights.md',
    seed: 1,
    perClass: PER_CLASS,
    isFresh: false,
    isRender: false,
  }
  for (let i = 0; i < args.length; i++) {
    if (args[i] === '--quick') found.perClass = QUICK_PER_CLASS
    else if (args[i] === '--fresh') found.isFresh = true
    else if (args[i] === '--render') found.isRender = true
    else {
      const value = args[i + 1]
      if (value === undefined) return undefined
      if (args[i] === '--zoo') found.zoo = value
      else if (args[i] === '--out') found.out = value
      else if (args[i] === '--seed' && /^\d{1,9}$/.test(value)) found.seed = Number(value)
      else return undefined
      i++
    }
  }
  return found.out.endsWith('.md') ? found : undefined
}

export async function main(args: string[]): Promise<number> {
  const options = readArguments(args)
  if (!options) {
    console.error(
      'usage: npm run weights -- [--zoo FOLDER] [--out FILE.md] [--seed N] [--quick] [--fresh] [--render]',
    )
    return 2
  }
  const here = process.env.INIT_CWD ?? process.cwd()
  const out = resolve(here, options.out)
  const numbers = out.replace(/\.md$/, '.json')
  const read = async (path: string): Promise<unknown> => JSON.parse(await readFile(path, 'utf8'))
  const mixtures = (await read(join(dirname(out), 'mixtures.json')).catch(() => undefined)) as
    | MixtureResults
    | undefined
  if (options.isRender) {
    await writeFile(out, weightsPage((await read(numbers)) as WeightResults, mixtures))
    return 0
  }
  const { gpu, session, index } = await openZoo(resolve(here, options.zoo))
  const kept = resolve(import.meta.dirname, '../../.cache/weights.jsonl')
  if (options.isFresh) await rm(kept, { force: true })
  const results = await runWeights(session, index, {
    seed: options.seed,
    perClass: options.perClass,
    cache: await RowCache.open(kept),
    log: (line) => console.log(line),
  })
  session.dispose()
  gpu.close()
  await mkdir(dirname(out), { recursive: true })
  await writeFile(out, weightsPage(results, mixtures))
  await writeFile(numbers, `${JSON.stringify(results, undefined, 1)}\n`)
  console.log(`${options.out}: ${results.seconds.toFixed(0)} s`)
  return 0
}
