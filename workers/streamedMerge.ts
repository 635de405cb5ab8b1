// Merging to disk behind the worker's interface: opens sources by their headers, plans, and streams tiles from files to
// files. No numerics of its own.

import { EngineError } from '../src/core/errors.ts'
import { type Checkpoint, openCheckpoint } from '../src/core/files/checkpoint.ts'
import { assertMergeable } from '../src/core/files/mergeable.ts'
import { writeText } from '../src/core/files/output/outputFolder.ts'
import { PlacedWriter } from '../src/core/files/output/placedWriter.ts'
import { unifyVocabularies } from '../src/core/files/vocabulary/unify.ts'
import { notesOf } from '../src/core/files/vocabulary/union.ts'
import { weightsDigest } from '../src/core/files/weightsDigest.ts'
import { Gpu } from '../src/core/gpu/device.ts'
import { methodOf } from '../src/core/merge/methods/registry.ts'
import { type MergePlan, planMerge } from '../src/core/merge/recipe/plan.ts'
import type { Recipe } from '../src/core/merge/recipe/recipe.ts'
import { writeRecipeYaml } from '../src/core/merge/recipe/yaml.ts'
import { signatureOf } from '../src/core/merge/signatures.ts'
import { streamMerge, WEIGHT_TYPES } from '../src/core/merge/streamMerge.ts'
import { tilesOf } from '../src/core/merge/tiles.ts'
import type { Finding } from '../src/core/preflight/inspectModel.ts'
import { type PreflightModel, preflight } from '../src/core/preflight/preflight.ts'
import { copyTokenizer, mergedConfig } from '../src/core/session/mergedFolder.ts'
import { type MergeProgress, mergeDigest, placedSink } from '../src/core/session/placedMerge.ts'
import { handleFolder } from '../src/core/sources/handleFolder.ts'
import { WEIGHT_BYTES } from '../src/core/tensors/dtype.ts'
import { mergeRate, readRate } from './mergeRates.ts'
import { architectureOf } from './modelFacts.ts'
import type { StoredAs, StreamedApi, StreamedModel, StreamedRequest, StreamedResult } from './streamedApi.ts'
import { assertWritable, convert, forgetConverted, outputOf } from './streamedOutput.ts'
import { folderOfSource, openStreamedSource } from './streamedSource.ts'

/** A picked directory commits whole files only: small ones lose little when the tab is closed. */
const SHARD_BYTES = { private: 4e9, directory: 5e8 }
const PROGRESS_INTERVAL_MS = 250
const DTYPES: Record<Checkpoint['dtype'], StoredAs> = { f32: 'float32', f16: 'float16', bf16: 'bfloat16' }

/** A method that computes its material from whole models cannot be streamed. */
function assertStreamable(method: string): void {
  const { label, material } = methodOf(method).declaration
  if (material.length > 0)
    throw new EngineError(
      'request-invalid',
      `${label} needs ${material.join(', ')} of whole models, which are not there when merging to disk`,
    )
}

function recipeOf(request: StreamedRequest): Recipe {
  const { method, parameters, models, base, seed, storedAs, writtenAs, vocabulary } = request
  return {
    ...(vocabulary !== 'same' && {
      tokenizerFrom: vocabulary === 'base' && base === undefined ? { path: models[0].name } : vocabulary,
    }),
    method,
    models: models.map(({ name, parameters: own }) => ({ model: { path: name }, parameters: own })),
    ...(base !== undefined && { base: { path: base } }),
    parameters,
    // A GGUF file is rounded once, from float32.
    outDtype: writtenAs === 'safetensors' ? storedAs : 'float32',
    extension: { seed },
  }
}

/** The pause between tiles. */
class Gate {
  private open: (() => void) | undefined
  private closed: Promise<void> | undefined
  close(): void {
    this.closed ??= new Promise((resolve) => {
      this.open = resolve
    })
  }
  release(): void {
    this.open?.()
    this.closed = undefined
  }
  wait = (): Promise<void> | undefined => this.closed
}

export function createStreamedMerge(getGpu: () => Promise<Gpu> = () => Gpu.open(navigator.gpu)): StreamedApi {
  /** as opened, and over the vocabulary of the latest request */
  let opened = new Map<string, Checkpoint>()
  let models = new Map<string, Checkpoint>()
  /** bytes a second of merging, once it has been measured */
  let rate: number | undefined
  let running: { controller: AbortController; gate: Gate } | undefined

  function plan(request: StreamedRequest): { plan: MergePlan; recipe: Recipe } {
    assertStreamable(request.method)
    const recipe = recipeOf(request)
    const over = withVocabulary(request, opened)
    models = over.models
    const inputs = [...models].map(([name, checkpoint]) => ({
      name,
      layerCount: checkpoint.config.layerCount,
      tensors: new Map(checkpoint.weights.map(({ name: tensor, shape }) => [tensor, shape])),
      dtype: DTYPES[checkpoint.dtype],
    }))
    const made = planMerge(recipe, inputs, [signatureOf(methodOf(request.method).declaration)])
    const [first, ...others] = made.models.map((name) => models.get(name)!)
    assertMergeable(first, others)
    return { plan: { ...made, notes: [...made.notes, ...over.notes] }, recipe }
  }

  return {
    async preflight(sources, outBytes) {
      const looked: PreflightModel[] = []
      const unreachable: Finding[] = []
      for (const source of sources)
        try {
          const folder = await folderOfSource(source)
          // What an adapter lies on is looked at; the adapter itself is checked when it is opened.
          if ((await folder.file('adapter_config.json')) === undefined)
            looked.push({ name: source.name, folder })
        } catch (error) {
          const message = faultOf(error)
          unreachable.push({ level: 'error', topic: 'files', model: source.name, message })
        }
      const report = await preflight(looked, { outBytes })
      const found = {
        findings: [...unreachable, ...report.findings],
        canMerge: report.canMerge && unreachable.length === 0,
      }
      if (!found.canMerge) return { ...report, ...found }
      try {
        const read = await readRate(looked.map(({ folder }) => folder))
        // The device is opened once for its rate; a merge opens its own.
        rate ??= await withGpu(getGpu, mergeRate)
        return read === undefined ? report : preflight(looked, { outBytes, rates: { read, merge: rate } })
      } catch (error) {
        // Without a measured rate there is no time to tell; what is wrong is said when it is merged.
        faultOf(error)
        return report
      }
    },

    async open(sources) {
      const next = new Map<string, Checkpoint>()
      const found: StreamedModel[] = []
      for (const source of sources) {
        if (found.some(({ name }) => name === source.name))
          throw new EngineError('request-invalid', `two sources are called ${source.name}`)
        try {
          const [base] = next.values()
          const checkpoint = await openStreamedSource(source, await folderOfSource(source), base)
          next.set(source.name, checkpoint)
          found.push(describe(source.name, checkpoint))
        } catch (error) {
          found.push(faulty(source.name, faultOf(error)))
        }
      }
      opened = next
      models = next
      return found
    },

    async estimate(request) {
      const { plan: made } = plan(request)
      const type = WEIGHT_TYPES[made.outDtype]
      const counts = made.tensors.map(({ shape }) => shape.reduce((a, b) => a * b, 1))
      const bytes = counts.reduce((sum, count) => sum + count * WEIGHT_BYTES[type], 0)
      const readBytes = made.models.reduce((sum, name) => sum + models.get(name)!.byteLength, 0)
      let largestTiles = 0
      let refusal: string | undefined
      try {
        for (const { sources, base: _, ...tensor } of made.tensors) {
          const modelParameters = sources.map(({ parameters }) => parameters)
          const inputs = sources.length + (_ ? 1 : 0)
          const tiles = tilesOf(methodOf(made.method), { ...tensor, modelParameters }, inputs, request.budget)
          largestTiles = Math.max(largestTiles, tiles.length)
        }
      } catch (error) {
        if (!(error instanceof EngineError)) throw error
        refusal = error.message
      }
      return {
        tensors: made.tensors.length,
        layers: made.layerCount,
        bytes,
        readBytes,
        largestTiles,
        ...(refusal !== undefined && { refusal }),
        notes: made.notes,
      }
    },

    async start(request, onProgress) {
      if (running) throw new EngineError('request-invalid', 'a merge to disk is under way already')
      const job = { controller: new AbortController(), gate: new Gate() }
      running = job
      let gpu: Gpu | undefined
      try {
        const { plan: made, recipe } = plan(request)
        gpu = await getGpu()
        return await mergeTo(gpu, { request, plan: made, recipe, models, job, onProgress })
      } finally {
        running = undefined
        gpu?.close()
      }
    },

    pause: () => running?.gate.close(),
    resume: () => running?.gate.release(),
    cancel: () => {
      running?.controller.abort()
      running?.gate.release()
    },
  }
}

async function withGpu<T>(getGpu: () => Promise<Gpu>, work: (gpu: Gpu) => Promise<T>): Promise<T> {
  const gpu = await getGpu()
  try {
    return await work(gpu)
  } finally {
    gpu.close()
  }
}

/** What is wrong with a model, in words; throws on what is no fault of the model's. */
function faultOf(error: unknown): string {
  if (!(error instanceof EngineError) || error.code === 'cancelled') throw error
  return error.message
}

const faulty = (name: string, fault: string): StreamedModel => ({
  ...{ name, architecture: '', parameterCount: 0, byteLength: 0, storage: '', notes: [], fault },
})

function describe(
  name: string,
  { config, rawConfig, parameterCount, byteLength, stored, notes }: Checkpoint,
): StreamedModel {
  const storages = new Map<string, number>()
  for (const weight of stored.values())
    storages.set(weight.storage, (storages.get(weight.storage) ?? 0) + weight.byteLength)
  const [storage] = [...storages].sort((a, b) => b[1] - a[1])[0] ?? ['']
  const architecture = architectureOf({ rawConfig, config })
  return { name, architecture, parameterCount, byteLength, storage, notes }
}

/** The models of a request over one vocabulary; those that take no part are left as they are. */
function withVocabulary(
  { vocabulary, models, base }: StreamedRequest,
  opened: ReadonlyMap<string, Checkpoint>,
): { models: Map<string, Checkpoint>; notes: string[] } {
  if (vocabulary === 'same') return { models: new Map(opened), notes: [] }
  const first = base ?? models[0]?.name
  const names = [...(base === undefined ? [] : [base]), ...models.map(({ name }) => name)]
  const taken = new Map(
    names.flatMap((name) => (opened.has(name) ? [[name, opened.get(name)!] as const] : [])),
  )
  const source = vocabulary === 'union' ? vocabulary : { model: first }
  const { checkpoints, union } = unifyVocabularies(taken, { base: first, source })
  return { models: new Map([...opened, ...checkpoints]), notes: notesOf(union) }
}

interface MergeTo {
  request: StreamedRequest
  plan: MergePlan
  recipe: Recipe
  models: ReadonlyMap<string, Checkpoint>
  job: { controller: AbortController; gate: Gate }
  onProgress(progress: MergeProgress): void
}

async function mergeTo(
  gpu: Gpu,
  { request, plan, recipe, models, job, onProgress }: MergeTo,
): Promise<StreamedResult> {
  const begun = performance.now()
  const { signal } = job.controller
  assertWritable(request.writtenAs, models.get(plan.configFrom)!)
  const { folder, handle } = await outputOf(request.output)
  const type = WEIGHT_TYPES[plan.outDtype]
  const writer = await PlacedWriter.open({
    folder,
    tensors: plan.tensors,
    type,
    shardBytes: SHARD_BYTES[request.output.kind],
    digest: await mergeDigest(plan, models, request.vocabulary, signal),
  })
  if (writer.resumed === 0) await forgetConverted(request.output, folder)
  let last = Number.NEGATIVE_INFINITY
  let latest: MergeProgress | undefined
  try {
    const sink = placedSink(writer, type, {
      budget: request.budget,
      onProgress: (progress) => {
        latest = progress
        const now = performance.now()
        if (now - last < PROGRESS_INTERVAL_MS && progress.bytes < progress.totalBytes) return
        last = now
        onProgress(progress)
      },
    })
    await streamMerge(methodOf(plan.method), {
      gpu,
      plan,
      readers: models,
      ...sink,
      gate: job.gate.wait,
      signal,
    })
    await writer.complete(signal)
  } finally {
    await writer.close()
  }
  const configs = new Map([...models].map(([name, { rawConfig }]) => [name, rawConfig]))
  await writeText(folder, 'config.json', mergedConfig(plan, configs))
  await copyTokenizer(models.get(plan.tokenizerFrom)!.folder, folder)
  await writeText(folder, 'alignmerge_config.yml', writeRecipeYaml(recipe))
  // Read back as anyone would: what is written is a model of the family, with every weight in its place.
  const merged = await openCheckpoint(await handleFolder(handle, signal))
  const digest = await weightsDigest(merged, { signal })
  await writeText(folder, 'README.md', cardOf(plan, digest))
  const shards = writer.shards.map(({ file }) => file)
  const converted = await convert(request, merged, folder, shards, signal)
  await writer.settle()
  return {
    files: converted?.files ?? shards,
    bytes: converted?.bytes ?? latest?.totalBytes ?? 0,
    rounded: converted?.rounded ?? [],
    notes: [...plan.notes, ...(converted?.notes ?? [])],
    seconds: (performance.now() - begun) / 1000,
    resumedTensors: writer.resumed,
    peakBytes: latest?.peakBytes ?? 0,
    digest,
  }
}

/** README.md of a merge; the recipe beside it makes it again. */
function cardOf(plan: MergePlan, digest: string): string {
  const { label, source } = methodOf(plan.method).declaration
  return `---
tags: [merge, alignmerge-studio, ${plan.method}]
---
# ${label} of ${plan.models.join(' + ')}

${label} (${source.text}). ${plan.layerCount} layers, stored as ${plan.outDtype}; seed ${plan.seed}. SHA-256 of the weights: \`${digest}\`.
The recipe is in alignmerge_config.yml. Behaviour is not implied by any of these numbers: measure before use.
`
}
