// alignmerge inspect MODEL…: what a model folder holds, from headers and small files alone unless its weights are
// to be hashed; of several, whether they can be merged weight by weight.

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { EngineError } from '../../core/errors.ts'
import type { Checkpoint } from '../../core/files/checkpoint.ts'
import { assertMergeable } from '../../core/files/mergeable.ts'
import { weightsDigest } from '../../core/files/weightsDigest.ts'
import type { Command, Output } from './command.ts'
import { findModel, openModel } from './models.ts'

interface WeightFile {
  file: string
  byteLength: number
  tensors: number
  sha256?: string
}

interface Inspection {
  name: string
  path: string
  /** of the weights' files */
  format: string
  architecture: string
  family: string
  parameters: number
  /** bytes of the weights */
  byteLength: number
  /** parameters by stored type */
  types: Record<string, number>
  sizes: Record<string, number | boolean | string>
  files: WeightFile[]
  /** of the weights, however they are split into files */
  digest?: string
  extraTensors: string[]
  tokenizer: { model: string; tokens: number; special: number } | null
  chatTemplate: string | null
  /** what the format has to say */
  notes: string[]
  tensors?: { name: string; type: string; shape: number[] }[]
}

async function sha256(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { signal })) hash.update(chunk as Uint8Array)
  return hash.digest('hex')
}

/** A GGUF model may be given by its file; other parts of it lie beside. */
const weightFile = (path: string, name: string): string =>
  path.endsWith('.gguf') ? join(dirname(path), name) : join(path, name)

function tokenizerOf({ tokenizerJson }: Checkpoint): Inspection['tokenizer'] {
  if (!tokenizerJson) return null
  const model = tokenizerJson.model as { type?: unknown; vocab?: unknown } | null | undefined
  const added = Array.isArray(tokenizerJson.added_tokens) ? tokenizerJson.added_tokens : []
  const vocab = model?.vocab
  const entries = Array.isArray(vocab)
    ? vocab.map((entry) => String(Array.isArray(entry) ? entry[0] : entry))
    : Object.keys((vocab as Record<string, number> | undefined) ?? {})
  const contents = added.map((token) => String((token as { content?: unknown } | null)?.content))
  return {
    model: String(model?.type ?? 'BPE'),
    tokens: new Set([...entries, ...contents]).size,
    special: added.filter((token) => (token as { special?: unknown } | null)?.special === true).length,
  }
}

function storedTypes(checkpoint: Checkpoint): {
  types: Record<string, number>
  tensors: NonNullable<Inspection['tensors']>
} {
  const types: Record<string, number> = {}
  const tensors = checkpoint.weights.map(({ name, shape }) => {
    const { storage } = checkpoint.stored.get(name)!
    types[storage] = (types[storage] ?? 0) + shape.reduce((a, b) => a * b, 1)
    return { name, type: storage, shape }
  })
  return { types, tensors }
}

async function inspectOne(
  path: string,
  checkpoint: Checkpoint,
  wants: { digest: boolean; tensors: boolean },
  signal: AbortSignal,
): Promise<Inspection> {
  const { config } = checkpoint
  const { types, tensors } = storedTypes(checkpoint)
  const files: WeightFile[] = []
  for (const { source, tensorCount } of checkpoint.files)
    files.push({
      file: source.name,
      byteLength: source.size,
      tensors: tensorCount,
      ...(wants.digest && { sha256: await sha256(weightFile(path, source.name), signal) }),
    })
  const template = checkpoint.tokenizerConfig.chat_template
  return {
    name: checkpoint.name,
    path,
    format: checkpoint.format,
    architecture: String((checkpoint.rawConfig.architectures as unknown[] | undefined)?.[0] ?? config.family),
    family: config.family,
    parameters: checkpoint.parameterCount,
    byteLength: checkpoint.byteLength,
    types,
    sizes: {
      layers: config.layerCount,
      hidden: config.hiddenSize,
      intermediate: config.intermediateSize,
      heads: config.headCount,
      kvHeads: config.kvHeadCount,
      headSize: config.headSize,
      vocabulary: config.vocabSize,
      positions: config.maxPositions,
      isTied: config.tied,
    },
    files,
    ...(wants.digest && { digest: await weightsDigest(checkpoint, { signal }) }),
    extraTensors: checkpoint.extraTensors,
    tokenizer: tokenizerOf(checkpoint),
    chatTemplate: typeof template === 'string' ? template : null,
    notes: checkpoint.notes,
    ...(wants.tensors && { tensors }),
  }
}

const grouped = (value: number) => value.toLocaleString('en-US')

function describe(found: Inspection): string {
  const { tokenizer, chatTemplate, sizes } = found
  const rows: [string, string][] = [
    ['architecture', `${found.architecture} (${found.family}), ${found.format}`],
    ['parameters', `${grouped(found.parameters)}, ${grouped(found.byteLength)} bytes`],
    [
      'types',
      Object.entries(found.types)
        .map(([type, count]) => `${type} ${grouped(count)}`)
        .join(', '),
    ],
    [
      'sizes',
      Object.entries(sizes)
        .map(([key, value]) => `${key} ${value}`)
        .join(', '),
    ],
    ...found.files.map(({ file, byteLength, tensors, sha256: sum }): [string, string] => [
      'file',
      `${file}, ${grouped(byteLength)} bytes, ${tensors} tensors${sum ? `, SHA-256 ${sum}` : ''}`,
    ]),
    ...(found.digest ? [['digest', found.digest] as [string, string]] : []),
    [
      'tokenizer',
      tokenizer
        ? `${tokenizer.model}, ${grouped(tokenizer.tokens)} tokens, ${tokenizer.special} special`
        : 'none',
    ],
    ['chat template', chatTemplate === null ? 'none' : `${chatTemplate.length} characters`],
  ]
  if (found.extraTensors.length > 0)
    rows.push(['unused', `${found.extraTensors.length} tensors, the first ${found.extraTensors[0]}`])
  for (const note of found.notes) rows.push(['note', note])
  const lines = rows.map(([label, text]) => `  ${label.padEnd(13)}  ${text}`)
  const list = (found.tensors ?? []).map(
    ({ name, type, shape }) => `    ${name}  ${type} [${shape.join(', ')}]`,
  )
  return [`${found.name}  ${found.path}`, ...lines, ...list].join('\n')
}

/** Why the models cannot be merged with the first; one entry for each that cannot. */
function compareAll(checkpoints: readonly Checkpoint[]): { model: string; reason: string }[] {
  const [first, ...others] = checkpoints
  return others.flatMap((other) => {
    try {
      assertMergeable(first, [other])
      return []
    } catch (error) {
      if (!(error instanceof EngineError)) throw error
      return [{ model: other.name, reason: error.message }]
    }
  })
}

function sayMergeable(misfits: readonly { model: string; reason: string }[], output: Output): void {
  if (misfits.length === 0) output.print('\nmergeable: one architecture, one set of weights, one tokenizer')
  else for (const { model, reason } of misfits) output.print(`\nnot mergeable, ${model}: ${reason}`)
}

export const inspect: Command = {
  name: 'inspect',
  usage: 'MODEL…',
  summary: 'what model folders hold, and whether they can be merged',
  positionals: { min: 1, max: 64 },
  options: {
    models: { value: 'FOLDER', help: 'where models are looked for that are no paths from here' },
    tensors: { help: 'list every tensor with type and shape' },
    'no-digest': { help: 'read headers only, hash nothing' },
  },
  details: `
MODEL is a folder, a .gguf file, or the name of a built-in model (anchor, task-sort, task-reverse, safety, uncensored).
Exit code 1 when several models are given and one cannot be merged with the first.`,
  async run(call, output, signal) {
    const wants = { digest: !call.has('no-digest'), tensors: call.has('tensors') }
    const found: Inspection[] = []
    const checkpoints: Checkpoint[] = []
    for (const name of call.positionals) {
      const path = await findModel(name, call.text('models'))
      const checkpoint = await openModel(path, signal)
      checkpoints.push({ ...checkpoint, name: basename(path) })
      found.push(await inspectOne(path, checkpoint, wants, signal))
    }
    const misfits = compareAll(checkpoints)
    if (call.isJson)
      output.print(
        JSON.stringify({
          models: found,
          ...(found.length > 1 && { isMergeable: misfits.length === 0, misfits }),
        }),
      )
    else {
      output.print(found.map(describe).join('\n\n'))
      if (found.length > 1) sayMergeable(misfits, output)
    }
    return misfits.length === 0 ? 0 : 1
  },
}
