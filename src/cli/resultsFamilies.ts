// The method table on models of every family that the engine runs. Families are opened one after another on one
// device; finished rows are kept like those of the main table, and belong to the very weights they were measured on.

import { createHash } from 'node:crypto'
import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { families } from '../../zoo/families.ts'
import { EngineError } from '../core/errors.ts'
import { Gpu } from '../core/gpu/device.ts'
import { nodeGpu } from './nodeGpu.ts'
import { openZoo } from './openZoo.ts'
import type { RowCache } from './resultsCache.ts'
import { familyCombinations, familyRecipes } from './resultsFamiliesPlan.ts'
import { defaultSetup, type ZooIndex } from './resultsPlan.ts'
import { groupOf, type ResultGroup, RowRunner } from './resultsRun.ts'

export interface FamilyResults {
  id: string
  /** for people */ name: string
  parameterCount: number
  reference: ResultGroup
  combinations: ResultGroup[]
}

export interface FamiliesResults {
  adapter: string
  date: string
  seeds: number[]
  perClass: number
  families: FamilyResults[]
  seconds: number
}

export interface FamiliesOptions {
  perClass: number
  seeds: readonly number[]
  cache: RowCache
  /** a line of progress */
  log: (line: string) => void
}

/** Measures every family that stands below `zoo`/families; `file-missing` where none does. */
export async function runFamilies(zoo: string, options: FamiliesOptions): Promise<FamiliesResults> {
  const started = performance.now()
  const gpu = await Gpu.open(await nodeGpu())
  const found: FamilyResults[] = []
  for (const { id, form } of families) {
    const folder = join(zoo, 'families', id)
    if (await isThere(join(folder, 'index.json')))
      found.push(await runFamily(gpu, folder, id, form.name, options))
    else options.log(`${id}: not built, npm run zoo -- --family ${id}`)
  }
  const { adapter } = gpu.summary
  gpu.close()
  if (found.length === 0)
    throw new EngineError('file-missing', 'no family is built', { file: join(zoo, 'families') })
  return {
    adapter,
    date: new Date().toISOString().slice(0, 10),
    seeds: [...options.seeds],
    perClass: options.perClass,
    families: found,
    seconds: (performance.now() - started) / 1000,
  }
}

async function runFamily(
  gpu: Gpu,
  folder: string,
  id: string,
  name: string,
  options: FamiliesOptions,
): Promise<FamilyResults> {
  const { session, index } = await openZoo(folder, gpu)
  const log = (line: string) => options.log(`${id.padEnd(8)}${line}`)
  const scope = `${id} ${await weightsDigest(folder, index)}`
  const run = new RowRunner(session, { ...options, scope, log }, performance.now())
  const reference: ResultGroup = { id: 'alone', title: 'Models alone', experts: [], rows: [] }
  for (const model of index.models)
    for (const seed of options.seeds)
      reference.rows.push(await run.model(model.name, defaultSetup(index, [], seed), model.id))
  const combinations: ResultGroup[] = []
  for (const combination of familyCombinations(index)) {
    const group = groupOf(combination)
    for (const seed of options.seeds)
      for (const recipe of familyRecipes(index, combination, seed))
        group.rows.push(await run.merge(recipe, options.perClass, true))
    combinations.push(group)
  }
  const { parameterCount } = session.get(index.models[0].id).model
  session.dispose()
  return { id, name, parameterCount, reference, combinations }
}

/** So that no row outlives the weights it was measured on. */
async function weightsDigest(folder: string, index: ZooIndex): Promise<string> {
  const hash = createHash('sha256')
  for (const { id } of index.models) hash.update(await readFile(join(folder, id, 'model.safetensors')))
  return hash.digest('hex').slice(0, 16)
}

const isThere = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  )
