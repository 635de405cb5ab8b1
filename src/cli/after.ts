// npm run after -- [--zoo public/zoo] [--out docs/after.md] [--seed 1] [--quick] [--fresh] [--render]: what can be done
// to a merge once it is there and what it withstands: antidote, forward-only polish, masked prompts, attacks, coverage.
// Writes the tables, what they say, and the full numbers as JSON beside them. Finished rows are kept in .cache, so
// that a run that was stopped goes on; --fresh forgets them. --quick takes 64 probes of each class; --render writes the
// page anew from the JSON beside it. Exit code 2 on wrong usage.

import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { framedAttacks, readAttacks } from '../core/evaluate/attackFile.ts'
import { findMaskToken } from '../core/evaluate/masking.ts'
import { afterPage } from './afterPage.ts'
import { type AfterResults, runAfter } from './afterRun.ts'
import { openZoo } from './openZoo.ts'
import { RowCache } from './resultsCache.ts'
import { anchorOf } from './resultsPlan.ts'

const FULL = { perClass: 240, perKind: 96 }
const QUICK = { perClass: 64, perKind: 32 }

interface Arguments {
  zoo: string
  out: string
  seed: number
  isQuick: boolean
  /** forget finished rows */ isFresh: boolean
  /** no measuring */ isRender: boolean
}

/** Undefined for anything that is not understood. */
export function readArguments(args: readonly string[]): Arguments | undefined {
  const found: Arguments = {
    zoo: 'public/zoo',
    out: 'docs/after.md',
    seed: 1,
    isQuick: false,
    isFresh: false,
    isRender: false,
  }
  for (let i = 0; i < args.length; i++) {
    if (args[i] === '--quick') found.isQuick = true
    else if (args[i] === '--fresh') found.isFresh = true
    else if (args[i] === '--render') found.isRender = true
    else {
      const value = args[++i]
      if (value === undefined) return undefined
      if (args[i - 1] === '--zoo') found.zoo = value
      else if (args[i - 1] === '--out') found.out = value
      else if (args[i - 1] === '--seed' && /^\d{1,9}$/.test(value)) found.seed = Number(value)
      else return undefined
    }
  }
  return found.out.endsWith('.md') ? found : undefined
}

export async function main(args: string[]): Promise<number> {
  const options = readArguments(args)
  if (!options) {
    console.error(
      'usage: npm run after -- [--zoo FOLDER] [--out FILE.md] [--seed N] [--quick] [--fresh] [--render]',
    )
    return 2
  }
  const here = process.env.INIT_CWD ?? process.cwd()
  const out = resolve(here, options.out)
  const numbers = out.replace(/\.md$/, '.json')
  if (options.isRender) {
    await writeFile(out, afterPage(JSON.parse(await readFile(numbers, 'utf8')) as AfterResults))
    return 0
  }
  const zoo = resolve(here, options.zoo)
  const { gpu, session, index } = await openZoo(zoo)
  const file = readAttacks(JSON.parse(await readFile(join(zoo, 'attacks.json'), 'utf8')), 'attacks.json')
  const { codec, model } = session.get(anchorOf(index).id)
  const maskToken = codec.tokenOf(findMaskToken(codec, model.config.vocabSize)) ?? 'a row of no token'
  const cachePath = resolve(here, '.cache/after.jsonl')
  if (options.isFresh) await rm(cachePath, { force: true })
  const results = await runAfter(session, index, {
    ...(options.isQuick ? QUICK : FULL),
    seed: options.seed,
    attacks: [...file.items, ...framedAttacks(session.probes)],
    maskToken,
    cache: await RowCache.open(cachePath),
    log: (line) => console.log(line),
  })
  session.dispose()
  gpu.close()
  await mkdir(dirname(out), { recursive: true })
  // Six digits are more than any interval holds, and a fifth of the file.
  const rounded = JSON.stringify(results, (_, value: unknown) =>
    typeof value === 'number' ? Number(value.toPrecision(6)) : value,
  )
  await writeFile(out, afterPage(JSON.parse(rounded) as AfterResults))
  await writeFile(numbers, `${rounded}\n`)
  console.log(`${options.out}: ${results.seconds.toFixed(0)} s`)
  return 0
}
