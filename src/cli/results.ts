// npm run results -- [--zoo public/zoo] [--out docs/results.md] [--seed 1] [--quick] [--render]: merges the built-in models by
// every method, measures all of them and writes the tables, what they say, and the full numbers as JSON beside them.
// --quick takes 64 probes of each class instead of 240, the least that AQI needs; --render writes the page anew from
// the JSON beside it. Exit code 2 on wrong usage.

import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { readProbes } from '../core/evaluate/probes.ts'
import { openCheckpoint } from '../core/files/checkpoint.ts'
import { Gpu } from '../core/gpu/device.ts'
import { Session } from '../core/session/session.ts'
import { nodeFolder } from './nodeFolder.ts'
import { nodeGpu } from './nodeGpu.ts'
import { resultsPage } from './resultsPage.ts'
import { readIndex } from './resultsPlan.ts'
import { type Results, runResults } from './resultsRun.ts'

const PER_CLASS = 240
const QUICK_PER_CLASS = 64

interface Arguments {
  zoo: string
  out: string
  seed: number
  perClass: number
  /** no measuring */ isRender: boolean
}

/** Undefined for anything that is not understood. */
export function readArguments(args: readonly string[]): Arguments | undefined {
  const found: Arguments = {
    zoo: 'public/zoo',
    out: 'docs/results.md',
    seed: 1,
    perClass: PER_CLASS,
    isRender: false,
  }
  for (let i = 0; i < args.length; i++) {
    const value = args[i + 1]
    if (args[i] === '--quick') {
      found.perClass = QUICK_PER_CLASS
      continue
    }
    if (args[i] === '--render') {
      found.isRender = true
      continue
    }
    if (value === undefined) return undefined
    if (args[i] === '--zoo') found.zoo = value
    else if (args[i] === '--out') found.out = value
    else if (args[i] === '--seed' && /^\d{1,9}$/.test(value)) found.seed = Number(value)
    else return undefined
    i++
  }
  return found.out.endsWith('.md') ? found : undefined
}

export async function main(args: string[]): Promise<number> {
  const options = readArguments(args)
  if (!options) {
    console.error('usage: npm run results -- [--zoo FOLDER] [--out FILE.md] [--seed N] [--quick] [--render]')
    return 2
  }
  const here = process.env.INIT_CWD ?? process.cwd()
  const out = resolve(here, options.out)
  const numbers = out.replace(/\.md$/, '.json')
  if (options.isRender) {
    await writeFile(out, resultsPage(JSON.parse(await readFile(numbers, 'utf8')) as Results))
    return 0
  }
  const zoo = resolve(here, options.zoo)
  const readJson = async (name: string): Promise<unknown> =>
    JSON.parse(await readFile(join(zoo, name), 'utf8'))
  const index = readIndex(await readJson('index.json'))
  const probes = readProbes(await readJson(index.probes), index.probes)
  const gpu = await Gpu.open(await nodeGpu())
  console.log(`adapter: ${gpu.summary.adapter}`)
  const session = new Session(gpu, probes)
  for (const { id } of index.models)
    await session.load(id, await openCheckpoint(await nodeFolder(join(zoo, id))))
  const results = await runResults(session, index, { ...options, log: (line) => console.log(line) })
  session.dispose()
  gpu.close()
  await mkdir(dirname(out), { recursive: true })
  await writeFile(out, resultsPage(results))
  await writeFile(numbers, `${JSON.stringify(results, undefined, 1)}\n`)
  console.log(`${options.out}: ${results.seconds.toFixed(0)} s`)
  return 0
}
