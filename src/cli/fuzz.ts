// npm run fuzz: damaged files for every parser. `--target NAME` runs one, `--count N` changes how many, `--first N` where the
// numbers begin, `--seed N` runs a single one again and tells what it did. Failing files go to .cache/fuzz. Exit code 1
// when one failed. A thread of its own watches for hangs, which nothing inside this one could stop.

import { writeSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { mutationOf, runOne, runTarget, type TargetRun, TIME_LIMIT_MS } from '../testing/fuzz/runner.ts'
import type { FuzzTarget } from '../testing/fuzz/target.ts'
import { fuzzTargets } from '../testing/fuzz/targets.ts'

const FOLDER = resolve(import.meta.dirname, '../../.cache/fuzz')
const COUNT = 10_000

/** Kills the process, with the number of the file, when one file takes thrice the limit. */
class Watchdog {
  private readonly state = new Int32Array(new SharedArrayBuffer(12))
  private readonly worker: Worker
  constructor(names: readonly string[]) {
    const source = `
      const { workerData: { state, names, limitMs } } = require('node:worker_threads')
      const { writeSync } = require('node:fs')
      let last = -1, since = Date.now()
      setInterval(() => {
        const tick = Atomics.load(state, 0)
        if (tick !== last) { last = tick; since = Date.now() }
        else if (Date.now() - since > limitMs) {
          writeSync(2, 'hang: --target "' + names[Atomics.load(state, 1)] + '" --seed ' + Atomics.load(state, 2) + '\\n')
          process.kill(process.pid, 'SIGKILL')
        }
      }, 250)`
    const workerData = { state: this.state, names, limitMs: 3 * TIME_LIMIT_MS }
    this.worker = new Worker(source, { eval: true, workerData })
    this.worker.unref()
  }
  beat(target: number, seed: number): void {
    Atomics.store(this.state, 1, target)
    Atomics.store(this.state, 2, seed)
    Atomics.add(this.state, 0, 1)
  }
  stop(): Promise<number> {
    return this.worker.terminate()
  }
}

async function keepFailures({ name, failures }: TargetRun): Promise<void> {
  await mkdir(FOLDER, { recursive: true })
  for (const { seed, message, bytes } of failures) {
    const path = join(FOLDER, `${name.replaceAll(' ', '-')}-${seed}.bin`)
    await writeFile(path, bytes)
    console.error(
      `${name}: ${message}\n  again: npm run fuzz -- --target "${name}" --seed ${seed}\n  file: ${path}`,
    )
  }
}

async function runAgain(target: FuzzTarget, seed: number): Promise<number> {
  const bytes = mutationOf(target.name, await target.seeds(), seed)
  const { isAccepted, durationMs, buffers, failure } = await runOne(target, bytes)
  const what = failure ?? (isAccepted ? 'accepted' : 'refused')
  console.log(
    `${target.name}, seed ${seed}, ${bytes.length} bytes: ${what}; ${durationMs.toFixed(1)} ms, ${buffers} bytes above its size`,
  )
  if (!isAccepted && failure === undefined)
    await target.run(bytes).catch((error: Error) => console.log(error.message))
  return failure === undefined ? 0 : 1
}

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`

const rowOf = (run: TargetRun): string =>
  row([
    run.name,
    String(run.mutations),
    (run.durationMs / 1000).toFixed(1),
    String(run.refused),
    String(run.accepted),
    run.slowestMs.toFixed(0),
    (run.mostBytes / 2 ** 20).toFixed(1),
    String(run.failures.length),
  ])

export async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      target: { type: 'string' },
      count: { type: 'string' },
      first: { type: 'string' },
      seed: { type: 'string' },
    },
  })
  const all = await fuzzTargets()
  const targets = all.filter(({ name }) => values.target === undefined || name === values.target)
  if (targets.length === 0) {
    console.error(`no target ${values.target}: expected one of ${all.map(({ name }) => name).join(', ')}`)
    return 2
  }
  const number = (text: string | undefined, otherwise: number): number => {
    if (text === undefined) return otherwise
    if (!/^\d{1,9}$/.test(text)) throw new Error(`expected a whole number, found ${text}`)
    return Number(text)
  }
  if (values.seed !== undefined) return runAgain(targets[0], number(values.seed, 0))
  const [first, count] = [number(values.first, 0), number(values.count, COUNT)]
  const watchdog = new Watchdog(targets.map(({ name }) => name))
  console.log(
    row([
      'target',
      'mutations',
      's',
      'refused',
      'accepted',
      'slowest, ms',
      'most above size, MiB',
      'failures',
    ]),
  )
  console.log(row(Array.from({ length: 8 }, (_, i) => (i === 0 ? '---' : '---:'))))
  let failed = 0
  for (const [i, target] of targets.entries()) {
    const run = await runTarget(target, first, count, (seed) => watchdog.beat(i, seed))
    writeSync(1, `${rowOf(run)}\n`)
    await keepFailures(run)
    failed += run.failures.length
  }
  await watchdog.stop()
  return failed === 0 ? 0 : 1
}
