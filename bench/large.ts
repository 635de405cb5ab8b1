// npm run bench -- large [1b|phi|small] [--browser] [--cli] [--fisher] [--method ID] [--folder DIR] [--keep]: merges of checkpoints
// that are too large to be held, made up on the spot: peak memory, throughput beside a plain copy, and whether a killed
// merge ends with the same bytes. Both ways unless one is named. Nothing of it stays without --keep.

import { execFile } from 'node:child_process'
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { serve } from '../scripts/serve.mjs'
import { DEFAULT_BUDGET } from '../src/core/merge/tiles.ts'
import { Random } from '../src/core/tensors/random.ts'
import { mergeInBrowser } from './large/browserMerge.ts'
import { runCommand } from './large/cliMerge.ts'
import { makeModels, NAMES, parametersOf, removeFolder, SHAPES, type Shape } from './large/models.ts'

const run = promisify(execFile)
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`
const KILL_AT = 0.35

interface Setting {
  shape: Shape
  folder: string
  models: string[]
  method: string
  /** bytes of the result */
  bytes: number
  /** seconds of a plain copy of as many bytes, to the disk */
  copySeconds: number
}

interface Measured {
  isFine: boolean
  /** of the whole merge */
  seconds: number
}

/** A plain copy of one model, and what it takes until it is on the disk. */
async function timeCopy(from: string, to: string): Promise<number> {
  const begun = performance.now()
  await run('cp', ['-r', from, to])
  await run('sync', ['-f', to])
  const seconds = (performance.now() - begun) / 1000
  await removeFolder(to)
  return seconds
}

const say = (label: string, value: string) => console.log(`  ${label.padEnd(28)}${value}`)

function sayRate(label: string, seconds: number, { bytes, copySeconds }: Setting): void {
  const share = (100 * copySeconds) / seconds
  say(
    label,
    `${seconds.toFixed(1)} s, ${megabytes(bytes / seconds)}/s of result, ${share.toFixed(0)} % of a plain copy’s speed`,
  )
}

const digestIn = (text: string | undefined) => /[0-9a-f]{64}/.exec(text ?? '')?.[0] ?? 'none'

async function browser(setting: Setting, dist: string): Promise<Measured> {
  console.log(`Chromium, ${setting.method}, budget ${megabytes(DEFAULT_BUDGET)}`)
  const { server, url } = await serve(dist, { port: 4390 })
  const job = {
    url,
    profile: join(setting.folder, 'profile'),
    folders: setting.models,
    method: setting.method,
    target: 'whole',
    budgetMegabytes: DEFAULT_BUDGET / 1e6,
  }
  try {
    const whole = await mergeInBrowser(job)
    const above = whole.watched.peak - whole.idle
    say('idle tab', megabytes(whole.idle))
    say('peak above it', `${megabytes(above)} (PSS, ${whole.watched.samples} samples, one in 100 ms)`)
    sayRate('merged and read back in', whole.seconds, setting)
    say('says', whole.result ?? '')
    const killed = await mergeInBrowser({ ...job, target: 'killed' }, KILL_AT)
    say(
      'killed after',
      `${killed.seconds.toFixed(1)} s, peak ${megabytes(killed.watched.peak - killed.idle)}`,
    )
    const resumed = await mergeInBrowser({ ...job, target: 'killed' })
    say(
      'went on for',
      `${resumed.seconds.toFixed(1)} s, peak ${megabytes(resumed.watched.peak - resumed.idle)}`,
    )
    say('says', resumed.result ?? '')
    const isSame = digestIn(whole.result) === digestIn(resumed.result) && digestIn(whole.result) !== 'none'
    const hasResumed = /tensors were there already/.test(resumed.result ?? '')
    say('same bytes', `${isSame ? 'yes' : 'NO'}, ${hasResumed ? 'resumed' : 'NOT RESUMED'}`)
    return { isFine: isSame && hasResumed && above <= DEFAULT_BUDGET, seconds: whole.seconds }
  } finally {
    server.close()
  }
}

const RECIPES: Record<string, (paths: readonly string[]) => string> = {
  linear: ([anchor, first, second]) =>
    `models:\n${[anchor, first, second].map((path) => `- {model: ${path}, parameters: {weight: 1}}\n`).join('')}`,
}
const withBase = ([anchor, first, second]: readonly string[]) =>
  `models:\n- {model: ${first}, parameters: {weight: 1}}\n- {model: ${second}, parameters: {weight: 1}}\nbase_model: ${anchor}\n`

async function commandLine(setting: Setting): Promise<Measured> {
  const { folder, method, models } = setting
  console.log(`Command line, ${method}, budget ${megabytes(DEFAULT_BUDGET)}`)
  const recipe = join(folder, 'recipe.yml')
  const text = (RECIPES[method] ?? withBase)(models)
  await writeFile(recipe, `${text}merge_method: ${method}\nout_dtype: bfloat16\n`)
  const target = (name: string) => ['merge', recipe, join(folder, name), '--json']
  const whole = await runCommand(target('whole'))
  if (whole.code !== 0) throw new Error(whole.stderr)
  const mergedLine = /\d+ MB merged at .*/.exec(whole.stderr)?.[0] ?? ''
  const rate = Number(/at (\d+) MB\/s/.exec(mergedLine)?.[1] ?? Number.NaN) * 1e6
  say('peak', `${megabytes(whole.watched.peak)} (PSS of the process, ${whole.watched.samples} samples)`)
  sayRate('merging alone', setting.bytes / rate, setting)
  say('with all hashes', `${whole.seconds.toFixed(1)} s`)
  say('says', mergedLine)
  const journal = join(folder, '.killed.part', 'merge.journal.jsonl')
  const total = Number(/merging: \d+ of (\d+)/.exec(whole.stderr)?.[1] ?? 1)
  const killed = await runCommand(target('killed'), async () => {
    const lines = (await readFile(journal, 'utf8').catch(() => '')).split('\n').length - 2
    return lines >= KILL_AT * total
  })
  const resumed = await runCommand(target('killed'))
  if (resumed.code !== 0) say('failed', resumed.stderr.trim().split('\n').at(-1) ?? '')
  const isSame =
    digestIn(/"digest":"[0-9a-f]{64}"/.exec(whole.stdout)?.[0]) ===
    digestIn(/"digest":"[0-9a-f]{64}"/.exec(resumed.stdout)?.[0])
  say('killed after', `${killed.seconds.toFixed(1)} s`)
  say(
    'went on for',
    `${resumed.seconds.toFixed(1)} s; ${/resumed: .*/.exec(resumed.stderr)?.[0] ?? 'NOT RESUMED'}`,
  )
  say(
    'same bytes',
    `${isSame ? 'yes' : 'NO'}, SHA-256 ${digestIn(/"digest":"[0-9a-f]{64}"/.exec(whole.stdout)?.[0])}`,
  )
  for (const name of ['whole', 'killed']) await removeFolder(join(folder, name))
  const isFine = isSame && resumed.stderr.includes('resumed:') && whole.watched.peak <= DEFAULT_BUDGET
  return { isFine, seconds: setting.bytes / rate }
}

const SEQUENCES = 2
const TOKENS = 32
const FISHER_SECONDS = 30 * 60

/** The Fisher diagonal of the anchor, layer by layer. */
async function fisher({ shape, folder, models }: Setting): Promise<boolean> {
  console.log(`Fisher diagonal, layer by layer, ${SEQUENCES} sequences of ${TOKENS} tokens`)
  const random = new Random(3)
  const vocabulary = shape.config.vocab_size as number
  const ids = Array.from({ length: SEQUENCES }, () =>
    Array.from({ length: TOKENS }, () => random.integer(vocabulary)),
  )
  const [file, out] = [join(folder, 'ids.json'), join(folder, 'fisher.safetensors')]
  await writeFile(file, JSON.stringify(ids))
  const made = await runCommand(['fisher', models[0], '--stream', '--ids', file, '--out', out, '--json'])
  await removeFolder(out)
  if (made.code !== 0) throw new Error(made.stderr)
  const parameters = parametersOf(shape.config)
  // Forward, forward again, and backward into inputs and weights, a product and a sum each.
  const operations = 2 * 4 * SEQUENCES * TOKENS * parameters
  say(
    'took',
    `${made.seconds.toFixed(0)} s with hashing weights and file, ${(operations / made.seconds / 1e9).toFixed(1)} GFLOP/s`,
  )
  say('peak', `${megabytes(made.watched.peak)} (PSS of the process, ${made.watched.samples} samples)`)
  if (shape.whole) {
    const factor = parametersOf(shape.whole) / parameters
    say(
      'the whole model',
      `${((made.seconds * factor) / 60).toFixed(0)} min, ${((operations * factor) / 1e12).toFixed(2)} T operations at this rate`,
    )
  }
  return made.seconds <= FISHER_SECONDS && made.watched.peak <= DEFAULT_BUDGET
}

/** What the whole model would take, from the part that was measured. */
function extrapolate({ shape, bytes }: Setting, seconds: number): void {
  if (!shape.whole) return
  const factor = parametersOf(shape.whole) / parametersOf(shape.config)
  const whole = parametersOf(shape.whole)
  say(
    'the whole model',
    `${(whole / 1e9).toFixed(2)} B weights: reads ${((NAMES.length * whole * 2) / 1e9).toFixed(1)} GB, writes ${((bytes * factor) / 1e9).toFixed(1)} GB, ${((2 * NAMES.length * whole) / 1e9).toFixed(0)} G operations, ${((seconds * factor) / 60).toFixed(1)} min at this rate`,
  )
}

export async function large(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      browser: { type: 'boolean' },
      cli: { type: 'boolean' },
      fisher: { type: 'boolean' },
      keep: { type: 'boolean' },
      method: { type: 'string', default: 'linear' },
      folder: { type: 'string' },
      dist: { type: 'string', default: 'dist' },
    },
  })
  const shape = SHAPES.find(({ id }) => id === (positionals[0] ?? '1b'))
  if (!shape || positionals.length > 1) {
    console.error(
      `usage: npm run bench -- large [${SHAPES.map(({ id }) => id).join('|')}] [--browser] [--cli] [--fisher] [--method ID] [--folder DIR] [--keep]`,
    )
    return 2
  }
  const folder = values.folder ? resolve(values.folder) : await mkdtemp(join(tmpdir(), 'alignmerge-large-'))
  const both = !values.browser && !values.cli && !values.fisher
  try {
    const models = await makeModels(folder, shape)
    const bytes = parametersOf(shape.config) * 2
    const copySeconds = await timeCopy(models[0], join(folder, 'copy'))
    const setting: Setting = { shape, folder, models, method: values.method, bytes, copySeconds }
    console.log(`${shape.title}: 3 × ${(bytes / 2e9).toFixed(2)} B weights, ${megabytes(bytes)} each in BF16`)
    say(
      'plain copy of one',
      `${copySeconds.toFixed(1)} s, ${megabytes(bytes / copySeconds)}/s, until it is on the disk`,
    )
    let isFine = true
    const measure = async (work: () => Promise<Measured>) => {
      const found = await work()
      isFine &&= found.isFine
      extrapolate(setting, found.seconds)
    }
    if (values.cli || both) await measure(() => commandLine(setting))
    if (values.browser || both) await measure(() => browser(setting, resolve(values.dist)))
    if (values.fisher || both) isFine = (await fisher(setting)) && isFine
    console.log(isFine ? 'all held' : 'MISSED')
    return isFine ? 0 : 1
  } finally {
    if (!values.keep) await removeFolder(folder)
  }
}
