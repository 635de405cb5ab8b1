// npm run soak [-- --minutes N] [--seed N] [--dist FOLDER] [--every N] [--write]: an hour of sweeping in Chromium.
// Seeded recipes (λ, weights, methods, views) are given to the page through its address and its sliders; memory of all
// of the browser's processes and of the JavaScript heaps, after a garbage collection and at one and the same settled
// experiment. What all processes hold must not have grown by more than 5 % from minute five (or 70 recipes, on a busy
// machine) to the end. For each heap the least reading of the second half must not lie by more above the least of the
// first: compiled code comes and goes by megabytes, what is never let go shows in the least. Exit code 1 when not.

import { readFile, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { Page } from '@playwright/test'
import { serve } from '../scripts/serve.mjs'
import { Random } from '../src/core/tensors/random.ts'
import { encodeLink } from '../src/share/encode.ts'
import type { LinkView } from '../src/share/experiment.ts'
import { methodDeclarations, misfit } from '../src/share/methods.ts'
import { builtInExperiment, twoTasks } from '../src/share/parameters.ts'
import type { Experiment } from '../workers/api.ts'
import { type Memory, openTab, type Tab } from './soak/tab.ts'

/** Allowed growth from the first settled reading to the last. */
const BOUND = 0.05
const FIRST_READING_MINUTES = 5
/** As many as a machine that does nothing else has had by then: a busy one reads first when it has had them too. */
const FIRST_READING_RECIPES = 70

/** Where memory is read: always the same, so that only what was left behind differs. */
const settled = builtInExperiment(twoTasks, { probesPerClass: 64 })

const methods = methodDeclarations.filter((one) => !misfit(one, 2)).map(({ id }) => id)
const others = ['compare', 'play', 'learn', 'library', 'merge'] as const
const views = ['prompts', 'completions', 'answers'] as const

const pick = <T>(random: Random, items: readonly T[]): T => items[random.integer(items.length)]!

/** One recipe of the sweep. */
function drawState(random: Random): { experiment: Experiment; view: LinkView } {
  const first = random.uniform()
  const experiment: Experiment = {
    ...settled,
    // Half of the time the method that can be swept.
    method: random.uniform() < 0.5 ? 'alignmerge' : pick(random, methods),
    lambdaAlign: Number((2 ** (13 * random.uniform() - 3)).toPrecision(3)),
    experts: [
      { origin: settled.experts[0]!.origin, weight: first },
      { origin: settled.experts[1]!.origin, weight: 1 - first },
    ],
    rank: 1 + random.integer(16),
    antidote: random.uniform() < 0.1 ? 1 : 0,
  }
  const page = random.uniform() < 0.8 ? ('studio' as const) : pick(random, others)
  return { experiment, view: { page, aqiView: pick(random, views), prompt: '' } }
}

/** As if the link had been typed. */
const goTo = (page: Page, state: { experiment: Experiment; view: LinkView }) =>
  page.evaluate((hash) => {
    location.hash = hash
  }, encodeLink(state))

/** An experiment on the page Studio; waits until nothing has been running for two seconds. */
async function settle(tab: Tab, experiment: Experiment = settled): Promise<void> {
  const view: LinkView = { page: 'studio', aqiView: 'completions', prompt: '' }
  await goTo(tab.page, { experiment, view })
  const bar = tab.page.locator('.job progress')
  const again = tab.page.getByRole('button', { name: 'Run again' })
  for (let quiet = 0; quiet < 8; ) {
    await tab.page.waitForTimeout(250)
    quiet = (await bar.count()) === 0 ? quiet + 1 : 0
    if (quiet > 2 && (await again.count()) > 0 && (await again.isEnabled())) {
      await again.click()
      quiet = 0
    }
  }
}

async function sweep(tab: Tab, random: Random): Promise<void> {
  const { page } = tab
  await goTo(page, drawState(random))
  await page.waitForTimeout(200)
  const sliders = page.locator('input[type=range]:enabled:visible')
  const count = await sliders.count()
  if (count > 0) {
    const slider = sliders.nth(random.integer(count))
    const key = random.uniform() < 0.5 ? 'ArrowRight' : 'ArrowLeft'
    // A slider that goes away under the hand is what a fast user meets as well.
    await slider.focus({ timeout: 2000 }).catch(() => undefined)
    for (let i = 0; i < 12; i++) {
      await page.keyboard.press(key)
      await page.waitForTimeout(30)
    }
  }
  // Long enough for some parts to arrive, short enough for others to be overtaken.
  await page.waitForTimeout(500 + 3500 * random.uniform())
}

const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1)
const line = (minutes: number, steps: number, { tree, page, workers }: Memory) =>
  `${minutes.toFixed(1).padStart(5)} min  ${String(steps).padStart(5)} recipes  processes ${megabytes(tree)} MB  page heap ${megabytes(page)} MB  worker heaps ${megabytes(workers)} MB`

export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      minutes: { type: 'string', default: '60' },
      seed: { type: 'string', default: '1' },
      dist: { type: 'string', default: 'dist' },
      every: { type: 'string', default: '10' },
      write: { type: 'boolean' },
    },
  })
  const [minutes, every] = [Number(values.minutes), Number(values.every)]
  if (!(minutes > 0) || !(every > 0)) {
    console.error('usage: npm run soak [-- --minutes N] [--every N] [--seed N] [--dist FOLDER] [--write]')
    return 2
  }
  const firstAt = Math.min(FIRST_READING_MINUTES, minutes / 2)
  const { server, url } = await serve(resolve(values.dist), { port: 4490 })
  const tab = await openTab(url)
  const failures: string[] = []
  tab.page.on('pageerror', (error) => failures.push(String(error)))
  tab.page.on('crash', () => failures.push('the tab crashed'))
  const random = new Random(Number(values.seed))
  const readings: Reading[] = []
  const begun = Date.now()
  const now = () => (Date.now() - begun) / 60_000
  let steps = 0
  const read = async () => {
    await settle(tab)
    const reading = { minutes: now(), steps, memory: await tab.memory() }
    readings.push(reading)
    console.log(line(reading.minutes, reading.steps, reading.memory))
  }
  try {
    await tab.page.locator('.job').waitFor({ timeout: 60_000 })
    // What is loaded on demand is loaded before the first reading.
    for (const page of others) {
      await goTo(tab.page, { experiment: settled, view: { page, aqiView: 'prompts', prompt: '' } })
      await tab.page.waitForTimeout(2000)
    }
    // So is what a driver compiles, and what a method asks of its models: chance would meet the last of them half an
    // hour later.
    for (const method of methods) await settle(tab, { ...settled, method })
    for (let next = firstAt; now() < minutes; ) {
      await sweep(tab, random)
      steps++
      if (now() < next || (readings.length === 0 && steps < FIRST_READING_RECIPES && now() < minutes / 2))
        continue
      await read()
      next = now() + every
    }
    await read()
  } finally {
    await tab.close()
    server.close()
  }
  const growths = growthOf(readings, minutes)
  const isHeld = growths.every(({ bounded }) => bounded <= BOUND) && failures.length === 0
  for (const growth of growths) console.log(describe(growth))
  for (const failure of failures) console.log(`FAILED ${failure}`)
  console.log(isHeld ? 'held' : 'MISSED')
  if (values.write) await writeSection(readings, growths, isHeld)
  return isHeld ? 0 : 1
}

interface Reading {
  minutes: number
  steps: number
  memory: Memory
}

interface Growth {
  label: string
  /** from the first reading to the last */ whole: number
  /** what the target is about: the same for processes; for heaps from least to least of the halves */ bounded: number
  isHeap: boolean
}

const parts = [
  ['processes', 'tree'],
  ['page heap', 'page'],
  ['worker heaps', 'workers'],
] as const

function growthOf(readings: readonly Reading[], minutes: number): Growth[] {
  const [first, last] = [readings[0]!, readings.at(-1)!]
  const isEarly = (reading: Reading) => reading === first || reading.minutes < minutes / 2
  return parts.map(([label, key]) => {
    const least = (some: readonly Reading[]) => Math.min(...some.map(({ memory }) => memory[key]))
    const isHeap = key !== 'tree'
    const whole = last.memory[key] / first.memory[key] - 1
    const halves =
      least(readings.filter((reading) => !isEarly(reading))) / least(readings.filter(isEarly)) - 1
    return { label, isHeap, whole, bounded: isHeap ? halves : whole }
  })
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`
const describe = ({ label, isHeap, whole, bounded }: Growth) =>
  isHeap
    ? `${label} ${percent(bounded)} between the least readings of both halves (${percent(whole)} from first to last)`
    : `${label} ${percent(whole)}`

const HEADING = '## An hour of sweeping in Chromium'

async function writeSection(
  readings: readonly Reading[],
  growths: readonly Growth[],
  isHeld: boolean,
): Promise<void> {
  const path = resolve(import.meta.dirname, '../docs/bench.md')
  const page = await readFile(path, 'utf8')
  const rows = readings.map(
    ({ minutes, steps, memory }) =>
      `| ${minutes.toFixed(1)} | ${steps} | ${parts.map(([, key]) => megabytes(memory[key])).join(' | ')} |`,
  )
  const section = `${HEADING}

\`npm run soak\`: seeded λ, weights, ranks, methods and views; memory at one settled experiment after a garbage collection. Processes: proportional set size of all of the browser's without pages of files, MB.

| minute | recipes | ${parts.map(([label]) => label).join(' | ')} |
| --- | --- | ${parts.map(() => '---').join(' | ')} |
${rows.join('\n')}

Growth to the last reading: ${growths.map(describe).join(', ')}. Target: at most ${100 * BOUND} %, of all processes from
the first reading to the last, and of each heap from the least reading of the first half to that of the second${isHeld ? '' : ' — **missed**'}.
`
  const at = page.indexOf(HEADING)
  if (at < 0) return writeFile(path, `${page.trimEnd()}\n\n${section}`)
  const end = page.indexOf('\n## ', at + 1)
  await writeFile(path, `${page.slice(0, at)}${section}${end < 0 ? '' : page.slice(end)}`)
}
