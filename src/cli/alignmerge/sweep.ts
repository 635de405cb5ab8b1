// alignmerge sweep RECIPE OUT: merges and measures every point of a grid over a recipe, one JSON line each. A sweep that
// was stopped goes on where it was, to the very rows it would have given.

import { resolve } from 'node:path'
import { EngineError } from '../../core/errors.ts'
import { ContentHash } from '../../core/files/contentHash.ts'
import { weightsDigest } from '../../core/files/weightsDigest.ts'
import type { MergePlan } from '../../core/merge/recipe/plan.ts'
import { writeRecipeYaml } from '../../core/merge/recipe/yaml.ts'
import { WEIGHT_TYPES } from '../../core/merge/streamMerge.ts'
import { DeviceModel } from '../../core/model/deviceModel.ts'
import { readConfig } from '../../core/model/families/registry.ts'
import type { JobOptions, Session } from '../../core/session/session.ts'
import { encodeWeights } from '../../core/tensors/dtype.ts'
import { type Command, type Output, UsageError } from './command.ts'
import { jobOptions, PROBE_OPTIONS, readProbeFile, withSession } from './engine.ts'
import { type GridPoint, gridPoints, readAxis } from './grid.ts'
import { type MeasureOptions, Measurer } from './measure.ts'
import { type OpenedModel, openRecipe, planOpened, readRecipeFile } from './openRecipe.ts'
import { mergedConfig } from './outputFolder.ts'
import { RowFile, SWEEP_FORMAT, sweepKey } from './rowFile.ts'
import { readFisherArguments, runPlan, wholeTensors } from './runPlan.ts'
import { PER_CLASS } from './score.ts'

/** Faults of one point; anything else ends the sweep. */
const POINT_FAULTS = ['request-invalid', 'not-finite', 'check-failed', 'shape-mismatch']

interface Planned extends GridPoint {
  plan: MergePlan
}

class Sweep {
  private readonly session: Session
  private readonly models: ReadonlyMap<string, OpenedModel>
  private readonly fisherFiles: ReadonlyMap<string, string>
  private readonly options: Omit<MeasureOptions, 'anchor'>
  /** by anchor: its scale of AQI is fitted once */
  private readonly measurers = new Map<string, Measurer>()

  constructor(
    session: Session,
    models: ReadonlyMap<string, OpenedModel>,
    fisherFiles: ReadonlyMap<string, string>,
    options: Omit<MeasureOptions, 'anchor'>,
  ) {
    this.session = session
    this.models = models
    this.fisherFiles = fisherFiles
    this.options = options
  }

  private async measurerOf(plan: MergePlan, job: JobOptions): Promise<Measurer> {
    const anchor = plan.configFrom
    const { checkpoint } = this.models.get(anchor)!
    if (checkpoint.config.layerCount !== plan.layerCount)
      throw new EngineError(
        'request-invalid',
        `a sweep measures on the scale of ${anchor}, and this stack has ${plan.layerCount} layers instead of ${checkpoint.config.layerCount}`,
      )
    if (!this.session.models.has(anchor)) await this.session.load(anchor, checkpoint, job)
    const known = this.measurers.get(anchor) ?? new Measurer(this.session, { ...this.options, anchor })
    this.measurers.set(anchor, known)
    return known
  }

  /** Merges on the device and measures. */
  async run(plan: MergePlan, job: JobOptions): Promise<Record<string, unknown>> {
    const { session, models, fisherFiles } = this
    const measurer = await this.measurerOf(plan, job)
    const configs = new Map([...models].map(([name, { checkpoint }]) => [name, checkpoint.rawConfig]))
    const type = WEIGHT_TYPES[plan.outDtype]
    const merged = new DeviceModel(session.gpu, readConfig(JSON.parse(mergedConfig(plan, configs))), type)
    try {
      const hash = new ContentHash()
      const write = async (tensor: { name: string; shape: readonly number[] }, values: Float32Array) => {
        const bytes = encodeWeights(values, type)
        await hash.addTensor(tensor.name, type, tensor.shape, bytes)
        session.gpu.write(merged.buffer(tensor.name), bytes)
      }
      await runPlan({ session, plan, models, fisherFiles }, wholeTensors(write), job)
      const { behaviour, aqi, budget } = await measurer.measure(merged, job)
      return { digest: await hash.finish(), behaviour, ...(aqi && { aqi }), ...(budget && { budget }) }
    } finally {
      merged.dispose()
    }
  }
}

async function runPoint(sweep: Sweep, plan: MergePlan, job: JobOptions): Promise<Record<string, unknown>> {
  try {
    return await sweep.run(plan, job)
  } catch (error) {
    if (!(error instanceof EngineError) || !POINT_FAULTS.includes(error.code)) throw error
    return { error: { code: error.code, message: error.message } }
  }
}

function sayRow(row: Record<string, unknown>, count: number, output: Output): void {
  const error = row.error as { message: string } | undefined
  const point = Object.entries(row.point as object).map(([place, value]) => `${place} ${value}`)
  output.note(`${Number(row.index) + 1} of ${count}: ${point.join(', ')}${error ? `: ${error.message}` : ''}`)
}

export const sweep: Command = {
  name: 'sweep',
  usage: 'RECIPE OUT',
  summary: 'merge and measure every point of a grid; goes on where it was stopped',
  positionals: { min: 2, max: 2 },
  options: {
    set: {
      value: 'PLACE=V,…',
      isMultiple: true,
      help: 'values at a place of the recipe: parameters.t=0,0.5,1 or models[1].parameters.weight=0,1; t alone is parameters.t',
    },
    'per-class': { value: 'N', help: `probes of each set and skill (default ${PER_CLASS})` },
    'no-aqi': { help: 'behaviour alone' },
    fisher: {
      value: 'MODEL=FILE',
      isMultiple: true,
      help: 'use this Fisher diagonal instead of computing one',
    },
    force: { help: 'start anew where OUT holds another sweep' },
    ...PROBE_OPTIONS,
    models: { value: 'FOLDER', help: 'where models are looked for that are no paths from here' },
  },
  details: `
OUT gets one JSON line that names the sweep, then one for each point, in order. Run the same command again to go on.
A point that cannot be merged has its error as its row; the exit code is then 1. Nothing else is written.`,
  async run(call, output, signal) {
    const axes = call.texts('set').map(readAxis)
    if (axes.length === 0) throw new UsageError('expected at least one --set PLACE=V,…')
    const options = {
      perClass: call.count('per-class', PER_CLASS, 1, 100_000),
      seed: call.count('seed', 1, 0, 2 ** 32 - 1),
      hasAqi: !call.has('no-aqi'),
    }
    const [path, out] = call.positionals
    const file = await readRecipeFile(path)
    const probes = await readProbeFile(call)
    const models = new Map<string, OpenedModel>()
    const points: Planned[] = []
    for (const { point, recipe } of gridPoints(file.recipe, axes)) {
      const opened = await openRecipe(
        { name: file.name, recipe, lines: undefined },
        call.text('models'),
        signal,
        models,
      )
      points.push({ point, recipe, plan: planOpened(opened) })
    }
    const fisherFiles = readFisherArguments(call.texts('fisher'), models)
    const digests: [string, string][] = []
    for (const [name, { checkpoint }] of models)
      digests.push([name, await weightsDigest(checkpoint, { signal })])
    const key = sweepKey([
      points.map(({ recipe }) => writeRecipeYaml(recipe)),
      options,
      probes.sha256,
      digests,
      [...fisherFiles],
    ])
    const job = jobOptions(output, signal)
    return withSession(output, probes.file, async (session) => {
      const { adapter } = session.gpu.summary
      const header = { format: SWEEP_FORMAT, version: 1, key, points: points.length, adapter } as const
      const rows = await RowFile.open(resolve(out), header, call.has('force'))
      if (rows.rows.length > 0) output.note(`${rows.rows.length} of ${points.length} are there already`)
      const running = new Sweep(session, models, fisherFiles, options)
      for (const [index, { point, plan }] of points.entries()) {
        if (index < rows.rows.length) continue
        await rows.add({ index, point, ...(await runPoint(running, plan, { signal: job.signal })) })
        sayRow(rows.rows[index], points.length, output)
      }
      if (call.isJson) output.print(JSON.stringify({ ...header, rows: rows.rows }))
      else output.print(`${resolve(out)}: ${rows.rows.length} points`)
      return rows.rows.some((row) => 'error' in row) ? 1 : 0
    })
  },
}
