// Every example recipe carried out on the built-in models.

import { readdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readProbes } from '../../core/evaluate/probes.ts'
import { METHODS } from '../../core/merge/methods/registry.ts'
import { Session } from '../../core/session/session.ts'
import { decodeWeights } from '../../core/tensors/dtype.ts'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import { ZOO } from './models.ts'
import { type OpenedModel, openRecipe, planOpened, readRecipeFile } from './openRecipe.ts'
import { runPlan, wholeTensors } from './runPlan.ts'

const FOLDER = resolve(import.meta.dirname, '../../core/merge/recipe/examples')
const names = (await readdir(FOLDER)).filter((name) => name.endsWith('.yml')).sort()
const signal = new AbortController().signal
const models = new Map<string, OpenedModel>()
let session: Session
beforeAll(async () => {
  const probes = readProbes(JSON.parse(await readFile(join(ZOO, 'probes.json'), 'utf8')), 'probes.json')
  session = new Session(await openTestDevice(), probes)
})
afterAll(() => session.dispose())

describe('examples on the built-in models', () => {
  it.each(names)('%s', async (name) => {
    const opened = await openRecipe(await readRecipeFile(join(FOLDER, name)), undefined, signal, models)
    expect(METHODS.map(({ declaration }) => declaration.id)).toContain(opened.recipe.method)
    const plan = planOpened(opened)
    const written: string[] = []
    let moved = 0
    const write = async (
      { name: tensor, sources, base }: (typeof plan.tensors)[number],
      values: Float32Array,
    ) => {
      written.push(tensor)
      const from = base ?? sources[0]
      const { bytes, type } = await opened.models.get(from.model)!.checkpoint.readWeight(from.tensor)
      const stored = decodeWeights(bytes, type)
      expect(values.length).toBe(stored.length)
      if (values.some((value, i) => !Object.is(value, stored[i]))) moved++
    }
    await runPlan({ session, plan, models: opened.models, fisherFiles: new Map() }, wholeTensors(write), {
      signal,
    })
    expect(written).toEqual(plan.tensors.map(({ name: tensor }) => tensor))
    // A pure stack copies; every other example moves at least the tensors of some layers.
    if (plan.method === 'passthrough') expect(moved).toBeLessThan(plan.tensors.length / 2)
    else expect(moved).toBeGreaterThan(plan.layerCount)
  })
})
