// A plan carried out with whatever its method needs: nothing (streamed from the files), material computed from probes,
// Fisher files, or AlignMerge's geometry over whole models.

import { resolve } from 'node:path'
import { EngineError } from '../../core/errors.ts'
import { weightsDigest } from '../../core/files/weightsDigest.ts'
import { readFisherFile } from '../../core/geometry/fisherFile.ts'
import type { MaterialKind } from '../../core/merge/declaration.ts'
import { methodOf } from '../../core/merge/methods/registry.ts'
import type { MergePlan, PlanTensor } from '../../core/merge/recipe/plan.ts'
import type { Scalar } from '../../core/merge/recipe/recipe.ts'
import {
  type ExtraMaterial,
  type StreamedMerge,
  streamMerge,
  valuesOfPiece,
  WEIGHT_TYPES,
  wholeModels,
} from '../../core/merge/streamMerge.ts'
import { importFisher } from '../../core/session/geometryFiles.ts'
import { provideMaterial } from '../../core/session/material.ts'
import type { JobOptions, Session, Setup } from '../../core/session/session.ts'
import { FileSource } from '../nodeFolder.ts'
import { UsageError } from './command.ts'
import type { OpenedModel } from './openRecipe.ts'
import { splitSetup } from './setupParameters.ts'

/** Where merged tiles go, and what need not be merged again. */
export type PlanSink = Pick<StreamedMerge, 'write' | 'finish' | 'isDone' | 'outType' | 'budget' | 'held'>

/** A sink that is given whole tensors in float32, for models that fit the memory. */
export function wholeTensors(
  write: (tensor: PlanTensor, values: Float32Array) => void | Promise<void>,
): PlanSink {
  let values = new Float32Array()
  return {
    write: ({ shape }, piece) => {
      if (piece.start === 0) values = new Float32Array(shape.reduce((a, b) => a * b, 1))
      values.set(valuesOfPiece(piece), piece.start)
    },
    finish: (tensor) => write(tensor, values),
  }
}

export interface PlanRun {
  session: Session
  plan: MergePlan
  models: ReadonlyMap<string, OpenedModel>
  /** model → path of its Fisher diagonal */
  fisherFiles: ReadonlyMap<string, string>
}

const ROLES: readonly MaterialKind[] = ['aligned', 'unaligned', 'safe']

/** `MODEL=FILE` of --fisher. */
export function readFisherArguments(
  texts: readonly string[],
  models: ReadonlyMap<string, OpenedModel>,
): Map<string, string> {
  return new Map(
    texts.map((text): [string, string] => {
      const at = text.lastIndexOf('=')
      const model = text.slice(0, Math.max(at, 0))
      if (at <= 0 || at === text.length - 1) throw new UsageError(`--fisher ${text}: expected MODEL=FILE`)
      if (!models.has(model))
        throw new UsageError(
          `--fisher ${text}: the recipe has no model ${model}; it has ${[...models.keys()].join(', ')}`,
        )
      return [model, resolve(text.slice(at + 1))]
    }),
  )
}

/** Models of a plan that merges whole models; `request-invalid` for stacks. */
function needWhole(plan: MergePlan, why: string): { experts: string[]; base: string | undefined } {
  const whole = wholeModels(plan)
  if (!whole)
    throw new EngineError(
      'request-invalid',
      `${plan.method} needs ${why}, which only whole models have: slices that move layers do not fit it`,
    )
  return whole
}

export function setupOf(plan: MergePlan, values: Readonly<Record<string, Scalar>>): Setup {
  const { experts, base } = needWhole(plan, 'material of its models')
  const { geometry, own } = splitSetup(values)
  const [first] = plan.tensors
  return {
    method: plan.method,
    anchor: base ?? experts[0],
    experts: experts.map((id, k) => ({ id, weight: Number(first.sources[k].parameters.weight ?? 1) })),
    ...geometry,
    seed: plan.seed,
    parameters: own,
  }
}

async function loadAll(
  { session, models, plan }: PlanRun,
  job: JobOptions,
  asStored: boolean,
): Promise<void> {
  for (const name of plan.models) {
    if (session.models.has(name)) continue
    const { checkpoint } = models.get(name)!
    await session.load(name, asStored ? checkpoint : { ...checkpoint, dtype: 'f32' }, job)
  }
}

/** One setting for the whole model, from a plan that gives every tensor the same. */
export function uniformParameters({ method, tensors }: MergePlan): Record<string, Scalar> {
  const [first] = tensors
  const of = ({ parameters, sources }: PlanTensor) =>
    JSON.stringify([parameters, sources.map((s) => s.parameters)])
  const odd = tensors.find((tensor) => of(tensor) !== of(first))
  if (odd)
    throw new EngineError(
      'request-invalid',
      `${method} works on the whole model at once: gradients and filters do not fit it`,
      { tensor: odd.name },
    )
  const values: Record<string, Scalar> = { ...first.parameters }
  for (const { parameters } of first.sources)
    for (const [id, value] of Object.entries(parameters)) {
      if (id === 'weight') continue
      if (Object.hasOwn(values, id) && values[id] !== value)
        throw new EngineError('request-invalid', `${method} takes one ${id} for all models`)
      values[id] = value
    }
  return values
}

/** AlignMerge: a session's merge of whole models, with its geometry. */
async function runWhole(run: PlanRun, sink: PlanSink, job: JobOptions): Promise<void> {
  const { plan, session, models } = run
  const setup = setupOf(plan, uniformParameters(plan))
  const types = new Set(plan.models.map((name) => models.get(name)!.checkpoint.dtype))
  types.add(WEIGHT_TYPES[plan.outDtype])
  if (plan.dtype) types.add(WEIGHT_TYPES[plan.dtype])
  // In float32 unless everything is of one type anyway: the result is then rounded once.
  await loadAll(run, job, types.size === 1)
  for (const [model, path] of run.fisherFiles) {
    if (model !== setup.anchor)
      throw new UsageError(
        `--fisher ${model}: ${plan.method} uses the Fisher diagonal of ${setup.anchor} alone`,
      )
    const { labels, form, seed } = await importFisher(session, model, await openFisher(path), job)
    const made = `${labels} labels, ${form} form, seed ${seed}`
    const asked = `${setup.fisher.labels} labels, ${setup.fisher.form} form, seed ${setup.seed}`
    if (made !== asked)
      throw new EngineError(
        'request-invalid',
        `the Fisher file of ${model} has ${made}; the recipe asks for ${asked}`,
      )
  }
  const merged = await session.merge(setup, job)
  for (const tensor of plan.tensors) {
    const values = await merged.read(tensor.name)
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
    await sink.write(tensor, { start: 0, count: values.length, bytes, type: 'f32' })
    await sink.finish?.(tensor)
  }
}

export async function openFisher(path: string): Promise<FileSource> {
  return FileSource.open(path).catch(() => {
    throw new EngineError('file-missing', `no Fisher file at ${path}`)
  })
}

async function fisherMaterial(
  run: PlanRun,
  kinds: readonly MaterialKind[],
  job: JobOptions,
): Promise<ExtraMaterial[]> {
  const { plan, models, fisherFiles } = run
  if (fisherFiles.size === 0) return []
  const { experts, base } = needWhole(plan, 'Fisher diagonals')
  const wanted: { kind: MaterialKind; k: number | 'base'; model: string }[] = []
  if (kinds.includes('fisher'))
    wanted.push(...experts.map((model, k) => ({ kind: 'fisher' as const, k, model })))
  if (kinds.includes('anchorFisher') && base !== undefined)
    wanted.push({ kind: 'anchorFisher', k: 'base', model: base })
  const unused = [...fisherFiles.keys()].filter((model) => wanted.every((entry) => entry.model !== model))
  if (unused.length > 0)
    throw new UsageError(`--fisher ${unused.join(', ')}: ${plan.method} uses no Fisher diagonal of it`)
  const missing = wanted.filter(({ model }) => !fisherFiles.has(model)).map(({ model }) => model)
  if (missing.length > 0)
    throw new UsageError(`--fisher is missing for ${missing.join(', ')}: give all or none`)
  const extra: ExtraMaterial[] = []
  for (const { kind, k, model } of wanted) {
    const { checkpoint } = models.get(model)!
    const digest = await weightsDigest(checkpoint, { signal: job.signal })
    const file = await readFisherFile(
      await openFisher(fisherFiles.get(model)!),
      { name: model, digest, weights: checkpoint.weights },
      job.signal,
    )
    extra.push({ kind, k, read: (tensor, tile, signal) => file.read(tensor, signal, tile) })
  }
  return extra
}

/** Carries the plan out; the sink gets every tensor in the plan's order. */
export async function runPlan(run: PlanRun, sink: PlanSink, job: JobOptions): Promise<void> {
  const { plan, session, models } = run
  const method = methodOf(plan.method)
  const { material: kinds } = method.declaration
  if (kinds.includes('shield')) return runWhole(run, sink, job)
  const extra = await fisherMaterial(run, kinds, job)
  const computed = kinds.filter(
    (kind) => !ROLES.includes(kind) && !extra.some((given) => given.kind === kind),
  )
  const readers = new Map([...models].map(([name, { checkpoint }]) => [name, checkpoint]))
  const progress = (done: number, total: number) => job.onProgress?.('merging', done, total)
  const shared = { gpu: session.gpu, plan, readers, extra, ...sink, signal: job.signal, onProgress: progress }
  if (computed.length === 0) return streamMerge(method, shared)
  const setup = setupOf(plan, plan.tensors[0].parameters)
  await loadAll(run, job, true)
  const provided = await provideMaterial(
    session,
    setup,
    computed,
    setup.experts.map(({ weight }) => weight),
    job,
  )
  try {
    await streamMerge(method, { ...shared, material: provided.material, shield: provided.shield })
  } finally {
    provided.release()
  }
}
