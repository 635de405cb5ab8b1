// npm run verify -- FOLDER [--browser]: the engine against stored reference vectors.
// FOLDER is a family folder (config.json, model.safetensors, sequences.json, reference.safetensors), a folder of merge
// vectors (cases.json, expected.safetensors and the models it names) or a parent of such. Exit code 1 on a miss, an unsupported case, or nothing found; 2 on wrong usage.

import { readdir, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { type CaseResult, verifyFolder } from '../core/evaluate/verifyFolder.ts'
import { Gpu } from '../core/gpu/device.ts'
import { nodeFolder } from './nodeFolder.ts'
import { nodeGpu } from './nodeGpu.ts'

async function isCase(path: string): Promise<boolean> {
  const isFile = (name: string) =>
    stat(join(path, name)).then(
      (info) => info.isFile(),
      () => false,
    )
  return (await isFile('config.json')) || (await isFile('cases.json'))
}

/** The family and merge folders at or directly below `path`. */
export async function findCases(path: string): Promise<string[]> {
  if (await isCase(path)) return [path]
  const entries = await readdir(path, { withFileTypes: true }).catch(() => [])
  const cases: string[] = []
  for (const entry of entries) {
    const child = join(path, entry.name)
    if (await isCase(child)) cases.push(child)
  }
  return cases.sort()
}

export type Log = (line: string) => void

async function runHere(paths: string[], log: Log): Promise<CaseResult[]> {
  const gpu = await Gpu.open(await nodeGpu())
  log(`adapter: ${gpu.summary.adapter}`)
  const results: CaseResult[] = []
  for (const path of paths) results.push(await verifyFolder(gpu, basename(path), await nodeFolder(path)))
  gpu.close()
  return results
}

/** True when something was compared in every folder, and everything passed. */
export const isPassed = (results: readonly CaseResult[]): boolean =>
  results.every(
    ({ rows, error }) => error === undefined && rows.length > 0 && rows.every((row) => row.passed),
  )

/** A line per row. */
export function report(results: CaseResult[], log: Log = console.log): void {
  log('case                     kind                 tensors  worst error  bound    worst tensor')
  for (const { name, rows, error } of results) {
    for (const row of rows) {
      const cells = [
        name.padEnd(24),
        row.kind.padEnd(20),
        String(row.tensors).padStart(7),
        row.error.toExponential(2).padStart(12),
        row.bound.toExponential(0).padStart(6),
      ]
      log(`${cells.join(' ')}  ${row.passed ? 'ok  ' : 'MISS'} ${row.fault ?? row.worst}`)
    }
    if (error !== undefined || rows.length === 0)
      log(`${name.padEnd(24)} FAILED   ${error ?? 'nothing was compared'}`)
  }
}

/** Compares all cases, here or in Chromium. */
export async function runCases(cases: string[], inBrowser: boolean, log: Log): Promise<CaseResult[]> {
  if (!inBrowser) return runHere(cases, log)
  return (await import('./verifyBrowser.ts')).runInBrowser(cases, log)
}

export async function main(args: string[]): Promise<number> {
  const inBrowser = args.includes('--browser')
  const paths = args.filter((arg) => !arg.startsWith('--'))
  const unknown = args.filter((arg) => arg.startsWith('--') && arg !== '--browser')
  if (paths.length !== 1 || unknown.length > 0) {
    console.error('usage: npm run verify -- FOLDER [--browser]')
    return 2
  }
  const root = resolve(process.env.INIT_CWD ?? process.cwd(), paths[0])
  const cases = await findCases(root)
  if (cases.length === 0) {
    console.error(`nothing found: ${paths[0]} holds no config.json or cases.json, nor does a folder in it`)
    return 1
  }
  const results = await runCases(cases, inBrowser, console.log)
  report(results)
  return isPassed(results) ? 0 : 1
}
