// alignmerge merge RECIPE OUT: carries a recipe out and writes the merged model as a Hugging Face folder.

import { readFile, writeFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { EngineError } from '../../core/errors.ts'
import { openCheckpoint } from '../../core/files/checkpoint.ts'
import { PlacedWriter } from '../../core/files/output/placedWriter.ts'
import { weightsDigest } from '../../core/files/weightsDigest.ts'
import { methodOf } from '../../core/merge/methods/registry.ts'
import { writeRecipeJson } from '../../core/merge/recipe/json.ts'
import type { MergePlan } from '../../core/merge/recipe/plan.ts'
import type { Recipe } from '../../core/merge/recipe/recipe.ts'
import { writeRecipeYaml } from '../../core/merge/recipe/yaml.ts'
import { WEIGHT_TYPES } from '../../core/merge/streamMerge.ts'
import { type MergeProgress, mergeDigest, placedSink } from '../../core/session/placedMerge.ts'
import type { JobOptions } from '../../core/session/session.ts'
import { isHubPath } from '../hubModels.ts'
import { nodeFolder } from '../nodeFolder.ts'
import { nodeOutput } from '../nodeOutput.ts'
import { type CardModel, rolesOf, writeCard } from './card.ts'
import { type Call, type Command, type Output, UsageError } from './command.ts'
import { jobOptions, PROBE_OPTIONS, readProbeFile, withSession } from './engine.ts'
import {
  assertGguf,
  convertToGguf,
  type GgufOutput,
  ggufSection,
  readGgufType,
  worstOf,
} from './ggufOutput.ts'
import { type Measured, Measurer, measureLines } from './measure.ts'
import { convertToOnnx, layoutModel, type OnnxOutput, onnxSection, onnxSummary } from './onnxOutput.ts'
import { type OpenedRecipe, openRecipe, planOpened, readRecipeFile } from './openRecipe.ts'
import { copyTokenizer, mergedConfig, withTarget } from './outputFolder.ts'
import { type PlanRun, readFisherArguments, runPlan } from './runPlan.ts'
import { PER_CLASS } from './score.ts'
import { runAlignStreamed } from './streamAlign.ts'
import { vocabularyOf } from './vocabulary.ts'

/** As mergekit's. */
const SHARD_SIZE = '5GB'
const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
}

const BUDGET = '1500MB'

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`
const rateOf = ({ bytes, bytesPerSecond }: MergeProgress): string =>
  `${megabytes(bytes)} merged at ${megabytes(bytesPerSecond)}/s`

export function readSize(text: string, option = '--shard-size'): number {
  const match = /^(\d{1,9})\s*([kmg]?i?b)$/i.exec(text)
  const size = match ? Number(match[1]) * (UNITS[match[2].toUpperCase()] ?? 0) : 0
  if (size < 1) throw new UsageError(`${option} ${text}: expected a size such as 5GB or 500MiB`)
  return size
}

/** The chat template that a plan asks for; undefined: the tokenizer's own. */
function templateOf(plan: MergePlan, opened: OpenedRecipe): string | undefined {
  if (plan.chatTemplate !== 'auto') return plan.chatTemplate
  const counts = new Map<string, number>()
  for (const { checkpoint } of opened.models.values()) {
    const template = checkpoint.tokenizerConfig.chat_template
    if (typeof template === 'string') counts.set(template, (counts.get(template) ?? 0) + 1)
  }
  // The most common; of equally common ones the first.
  return [...counts].reduce<[string, number] | undefined>(
    (a, b) => (a && a[1] >= b[1] ? a : b),
    undefined,
  )?.[0]
}

async function cardModels(plan: MergePlan, opened: OpenedRecipe, job: JobOptions): Promise<CardModel[]> {
  const roles = rolesOf(plan)
  const models: CardModel[] = []
  for (const name of plan.models) {
    const { path, checkpoint } = opened.models.get(name)!
    // A hub's model is named by its commit; its weights would be fetched a second time for their digest.
    const digest = isHubPath(path) ? path : await weightsDigest(checkpoint, { signal: job.signal })
    models.push({ name, digest, role: roles.get(name) ?? '' })
  }
  return models
}

/** On the scale of the base, else of the first model; of the merge itself where its layers are not theirs. */
async function measureMerge(folder: string, run: PlanRun, call: Call, job: JobOptions): Promise<Measured> {
  const { plan, session, models } = run
  const merged = await openCheckpoint(await nodeFolder(folder))
  const own = models.get(plan.configFrom)!.checkpoint
  const isComparable = own.config.layerCount === plan.layerCount
  const { model } = await session.load('(merged)', merged, job)
  if (isComparable && !session.models.has(plan.configFrom)) await session.load(plan.configFrom, own, job)
  const measurer = new Measurer(session, {
    anchor: isComparable ? plan.configFrom : '(merged)',
    perClass: call.count('per-class', PER_CLASS, 1, 100_000),
    seed: call.count('seed', 1, 0, 2 ** 32 - 1),
    hasAqi: !call.has('no-aqi'),
  })
  return measurer.measure(model, job)
}

/** --stream is for the one method that would hold whole models otherwise. */
function readStreamed(call: Call, { method }: MergePlan): boolean {
  if (!call.has('stream')) return false
  if (method !== 'alignmerge')
    throw new UsageError(`--stream is for alignmerge; ${method} reads its models in ranges as it is`)
  return true
}

interface Merged {
  out: string
  method: string
  layers: number
  dtype: string
  files: string[]
  digest: string
  models: CardModel[]
  notes: string[]
  measured?: Measured
  gguf?: GgufOutput
  onnx?: OnnxOutput
}

async function write(
  out: string,
  opened: OpenedRecipe,
  plan: MergePlan,
  call: Call,
  output: Output,
  signal: AbortSignal,
): Promise<Merged> {
  const job = jobOptions(output, signal)
  const limit = readSize(call.text('shard-size') ?? SHARD_SIZE)
  const budget = readSize(call.text('budget') ?? BUDGET, '--budget')
  const ggufType = readGgufType(call)
  if (ggufType) assertGguf(plan, opened.models, ggufType)
  const layout = call.text('format') === 'onnx' ? await layoutModel(plan, opened.models, signal) : undefined
  const fisherFiles = readFisherArguments(call.texts('fisher'), opened.models)
  const isStreamed = readStreamed(call, plan)
  const inputs = new Map([...opened.models].map(([name, { checkpoint }]) => [name, checkpoint]))
  const probes = await readProbeFile(call)
  const configs = new Map([...opened.models].map(([name, { checkpoint }]) => [name, checkpoint.rawConfig]))
  const models = await cardModels(plan, opened, job)
  const { version } = JSON.parse(
    await readFile(resolve(import.meta.dirname, '../../../package.json'), 'utf8'),
  ) as {
    version: string
  }
  return withTarget(out, call.has('force'), (folder) =>
    withSession(output, probes.file, async (session) => {
      const run: PlanRun = { session, plan, models: opened.models, fisherFiles }
      // A GGUF file is rounded once, from float32.
      const streamed: MergePlan = ggufType || layout ? { ...plan, outDtype: 'float32' } : plan
      const type = WEIGHT_TYPES[streamed.outDtype]
      const writer = await PlacedWriter.open({
        folder: nodeOutput(folder),
        tensors: plan.tensors,
        type,
        shardBytes: limit,
        digest: await mergeDigest(streamed, inputs, [[...fisherFiles], vocabularyOf(opened.recipe)], signal),
      })
      if (writer.resumed > 0)
        output.note(`resumed: ${writer.resumed} of ${plan.tensors.length} tensors are merged already`)
      let held: MergeProgress | undefined
      try {
        const sink = placedSink(writer, type, { budget, onProgress: (progress) => (held = progress) })
        if (isStreamed) await runAlignStreamed(run, sink, folder, job)
        else await runPlan(run, sink, job)
        await writer.complete(signal)
      } finally {
        await writer.close()
      }
      if (held) output.note(`${rateOf(held)}, at most ${megabytes(held.peakBytes)} in buffers`)
      await writeFile(join(folder, 'config.json'), mergedConfig(streamed, configs))
      const tokenizer = opened.models.get(plan.tokenizerFrom)!.checkpoint.folder
      await copyTokenizer(tokenizer, folder, templateOf(plan, opened))
      const written = writer.shards.map(({ file }) => file)
      const gguf = ggufType && (await convertToGguf(folder, written, basename(out), ggufType, signal))
      const onnx = layout && (await convertToOnnx(folder, written, layout, signal))
      // Read back as anyone would: what is written is a model of the family, with every weight in its place.
      const digest = await weightsDigest(await openCheckpoint(await nodeFolder(folder)), { signal })
      const measured = call.has('measure') ? await measureMerge(folder, run, call, job) : undefined
      const { declaration } = methodOf(plan.method)
      const { recipe } = opened
      const card = { name: basename(out), version, recipe, plan, declaration, models, digest, measured }
      const section = gguf ? ggufSection(gguf) : onnx ? onnxSection(onnx) : ''
      await writeFile(join(folder, 'README.md'), writeCard(card) + section)
      await writeFile(join(folder, 'alignmerge_config.yml'), writeRecipeYaml(recipe))
      await writer.settle()
      return {
        out,
        method: plan.method,
        layers: plan.layerCount,
        dtype: plan.outDtype,
        files: gguf ? [gguf.file] : (onnx?.files ?? written),
        digest,
        models,
        notes: plan.notes,
        ...(measured && { measured }),
        ...(gguf && { gguf }),
        ...(onnx && { onnx }),
      }
    }),
  )
}

async function writeRecipe(path: string, recipe: Recipe): Promise<void> {
  const text = path.endsWith('.json') ? writeRecipeJson(recipe) : writeRecipeYaml(recipe)
  await writeFile(resolve(path), text).catch((error: Error) => {
    throw new EngineError('file-missing', `cannot write ${resolve(path)}: ${error.message}`)
  })
}

function summary(plan: MergePlan): string {
  const { method, tensors, layerCount, outDtype, configFrom, tokenizerFrom, models } = plan
  return `${method} of ${models.join(', ')}: ${tensors.length} tensors, ${layerCount} layers, ${outDtype}; config of ${configFrom}, tokenizer of ${tokenizerFrom}`
}

export const merge: Command = {
  name: 'merge',
  usage: 'RECIPE OUT',
  summary: 'carry out a recipe (mergekit YAML or our JSON) and write the model',
  positionals: { min: 1, max: 2 },
  options: {
    models: { value: 'FOLDER', help: 'where models are looked for that are no paths from here' },
    'dry-run': { help: 'plan only, from headers: tell what would be done, and what is wrong' },
    'write-recipe': {
      value: 'FILE',
      help: 'write the recipe there too: our JSON for .json, else mergekit YAML',
    },
    'shard-size': { value: 'SIZE', help: `largest weight file (default ${SHARD_SIZE})` },
    budget: {
      value: 'SIZE',
      help: `most memory of host and device for streamed methods (default ${BUDGET})`,
    },
    stream: { help: 'alignmerge without holding a model; needs --fisher of the anchor' },
    format: {
      value: 'NAME',
      help: 'safetensors (default), gguf, or onnx: in the layout of an ONNX model of the recipe',
    },
    quantize: { value: 'TYPE', help: 'with --format gguf: f16 (default), q8_0 or q4_0' },
    force: { help: 'replace the model folder OUT' },
    fisher: {
      value: 'MODEL=FILE',
      isMultiple: true,
      help: 'use this Fisher diagonal instead of computing one',
    },
    measure: { help: 'measure the merge as score does, and put it into the card' },
    'per-class': { value: 'N', help: `with --measure: probes of each set and skill (default ${PER_CLASS})` },
    'no-aqi': { help: 'with --measure: behaviour alone' },
    ...PROBE_OPTIONS,
  },
  details: `
Models in the recipe are folders from here, folders below --models, or built-in names. Random choices of the method
follow the recipe’s own seed (alignmerge: {seed: N}); --seed is that of measuring. OUT gets safetensors shards and
index, config.json, tokenizer files, README.md and alignmerge_config.yml. With --dry-run OUT may be left out.
A merge that was stopped or killed goes on at its last finished tensor when the same command is given again.`,
  async run(call, output, signal) {
    const [path, out] = call.positionals
    const isDry = call.has('dry-run')
    readGgufType(call)
    if (out === undefined && !isDry) throw new UsageError('expected RECIPE OUT, found no OUT')
    const opened = await openRecipe(await readRecipeFile(path), call.text('models'), signal)
    const plan = planOpened(opened)
    if (!call.isJson) for (const note of plan.notes) output.note(`note: ${note}`)
    const copy = call.text('write-recipe')
    if (copy !== undefined) await writeRecipe(copy, opened.recipe)
    if (isDry) {
      output.print(call.isJson ? JSON.stringify(plan) : summary(plan))
      return 0
    }
    const merged = await write(resolve(out), opened, plan, call, output, signal)
    if (call.isJson) output.print(JSON.stringify(merged))
    else {
      output.print(
        `${merged.out}: ${summary(plan)}; ${merged.files.length} weight files, SHA-256 ${merged.digest}`,
      )
      if (merged.gguf) {
        const { tensor, relative, max } = worstOf(merged.gguf)
        output.print(
          `${merged.gguf.file}: rounding changed ${tensor} most, by ${relative.toExponential(2)} of its length, at most ${max.toExponential(2)}`,
        )
        for (const name of merged.gguf.fallbacks) output.print(`  F16, rows being no whole blocks: ${name}`)
        for (const note of merged.gguf.notes) output.print(`  ${note}`)
      }
      if (merged.onnx) {
        output.print(onnxSummary(merged.onnx))
        for (const note of merged.onnx.notes) output.print(`  ${note}`)
      }
      if (merged.measured) output.print(measureLines(merged.measured))
    }
    return 0
  },
}
