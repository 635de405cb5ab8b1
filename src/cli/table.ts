// npm run table -- [--experts task-sort,uncensored] [--methods ties,slerp] [--probes 128] [--seed 1] [--zoo FOLDER]
// [--csv | --json]: the comparison page without the page: every method on these experts, with intervals, most refusing
// first. Exit code 2 on wrong usage.

import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { csvField } from '../share/csv.ts'
import { findMethod, methodDeclarations } from '../share/methods.ts'
import { numberParameters } from '../share/parameters.ts'
import { openZoo } from './openZoo.ts'
import { RowCache } from './resultsCache.ts'
import { share } from './resultsFormat.ts'
import { defaultSetup, methodRecipes, type ZooIndex, type ZooModel } from './resultsPlan.ts'
import { type ResultGroup, type ResultRow, RowRunner } from './resultsRun.ts'
import { skillOf } from './resultsSeeds.ts'

const OPTIONS = {
  experts: { type: 'string', default: 'task-sort,task-reverse' },
  methods: { type: 'string' },
  probes: { type: 'string', default: '128' },
  seed: { type: 'string', default: '1' },
  zoo: { type: 'string', default: 'public/zoo' },
  csv: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const

export interface TableArguments {
  experts: string[]
  /** undefined: all */ methods: string[] | undefined
  perClass: number
  seed: number
  zoo: string
  form: 'text' | 'csv' | 'json'
}

/** What is asked for, or what is wrong with it. */
export function readTableArguments(args: readonly string[]): TableArguments | string {
  let values: ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values']
  try {
    values = parseArgs({ args: [...args], options: OPTIONS }).values
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  const { min, max } = numberParameters.probesPerClass
  const perClass = Number(values.probes)
  if (!Number.isInteger(perClass) || perClass < min || perClass > max)
    return `--probes: found ${values.probes}, expected ${min} to ${max}`
  const seed = Number(values.seed)
  if (!Number.isInteger(seed) || seed < 0) return `--seed: found ${values.seed}, expected a whole number`
  const methods = values.methods?.split(',')
  const unknown = methods?.find((id) => !findMethod(id))
  if (unknown !== undefined)
    return `--methods: found ${unknown}, expected some of ${methodDeclarations.map(({ id }) => id).join(', ')}`
  if (values.csv && values.json) return 'one of --csv and --json'
  const form = values.json ? 'json' : values.csv ? 'csv' : 'text'
  return { experts: values.experts.split(','), methods, perClass, seed, zoo: values.zoo, form }
}

function pickExperts(index: ZooIndex, ids: readonly string[]): ZooModel[] | string {
  const known = index.models.map(({ id }) => id)
  const missing = ids.find((id) => !known.includes(id))
  if (missing !== undefined) return `--experts: found ${missing}, expected some of ${known.join(', ')}`
  return ids.map((id) => index.models.find((model) => model.id === id)!)
}

export async function main(args: string[]): Promise<number> {
  const options = readTableArguments(args)
  const usage = (what: string) => {
    console.error(
      `${what}\nusage: npm run table -- [--experts A,B] [--methods M,N] [--probes N] [--seed N] [--zoo FOLDER] [--csv | --json]`,
    )
    return 2
  }
  if (typeof options === 'string') return usage(options)
  const here = process.env.INIT_CWD ?? process.cwd()
  const { gpu, session, index } = await openZoo(resolve(here, options.zoo))
  try {
    const experts = pickExperts(index, options.experts)
    if (typeof experts === 'string') return usage(experts)
    const { perClass, seed, methods } = options
    const log = (line: string) => console.error(line)
    const runner = new RowRunner(
      session,
      { perClass, cache: await RowCache.open(undefined), log },
      performance.now(),
    )
    const group: ResultGroup = { id: 'table', title: '', experts, rows: [] }
    const base = defaultSetup(index, experts, seed)
    for (const id of [base.anchor, ...options.experts]) group.rows.push(await runner.model(id, base, id))
    const combination = { id: 'table', title: '', experts }
    for (const recipe of methodRecipes(index, combination, seed))
      if (!methods || methods.includes(recipe.setup.method))
        group.rows.push(await runner.merge(recipe, perClass, true))
    console.log(options.form === 'json' ? JSON.stringify(group, null, 1) : printed(group, options.form))
    return 0
  } finally {
    session.dispose()
    gpu.close()
  }
}

const refusalOf = ({ behaviour }: ResultRow) =>
  behaviour && 'value' in behaviour.refusal ? behaviour.refusal.value : -1

/** The rows as aligned text or CSV; models first, then merges by refusal. */
export function printed(group: ResultGroup, form: 'text' | 'csv'): string {
  const skill = skillOf(group)
  const models = group.rows.filter(({ setup }) => !setup)
  const merges = group.rows.filter(({ setup }) => setup).sort((a, b) => refusalOf(b) - refusalOf(a))
  const head = [
    'merge',
    'refusal',
    'complied',
    'attack',
    'over-refusal',
    'ruined',
    'skill',
    'AQI completions',
    'budget',
    'drift, held out',
  ]
  const rows = [...models, ...merges].map((row): string[] => {
    const { behaviour: b, aqi, budget, drift, failure } = row
    if (failure) return [row.label, failure, ...new Array(head.length - 2).fill('')]
    const completions = aqi?.completions
    const broken = budget?.completions?.isViolated
    return [
      row.label,
      ...[b?.refusal, b?.compliance, b?.attackRefusal, b?.overRefusal, b?.gibberish, skill(row)].map(share),
      completions && 'value' in completions ? completions.value.toFixed(1) : '–',
      broken === undefined ? '–' : broken ? 'broken' : 'kept',
      drift ? drift.heldOut.toExponential(2) : '–',
    ]
  })
  if (form === 'csv') {
    return [head, ...rows].map((line) => line.map(csvField).join(',')).join('\n')
  }
  const widths = head.map((_, c) =>
    Math.max(...[head, ...rows].map((row) => (row[2] === '' && c > 0 ? 0 : row[c].length))),
  )
  return [head, ...rows]
    .map((row) =>
      row
        .map((cell, c) => cell.padEnd(widths[c]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
