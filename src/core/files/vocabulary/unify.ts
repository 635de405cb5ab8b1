// Checkpoints given one vocabulary: embedding and head with their rows where the union has them, read from the files row
// by row as they are asked for, so that every merge method works on them as if they had been trained with it.

import { EngineError } from '../../errors.ts'
import type { WeightSpec } from '../../model/families/family.ts'
import type { Checkpoint } from '../checkpoint.ts'
import type { CheckpointFolder } from '../folder.ts'
import { MemorySource } from '../source.ts'
import { checkElements, countOf, readElements, type StoredWeight } from '../storedWeight.ts'
import { type TokenRow, type UnionOptions, unionOf, type VocabularyUnion } from './union.ts'
import { readVocabulary } from './vocabulary.ts'

export interface Unified {
  checkpoints: Map<string, Checkpoint>
  union: VocabularyUnion
}

/** Files of a tokenizer that say the same as tokenizer.json in other words, and would contradict it. */
const SUPERSEDED = ['added_tokens.json', 'tokenizer.model', 'vocab.json', 'merges.txt']

/**
 * The checkpoints, by the names of `models`, over one vocabulary. Rejects `tokenizer-mismatch` where vocabularies
 * cannot be joined, `file-missing` where a model has no tokenizer.json.
 */
export function unifyVocabularies(models: ReadonlyMap<string, Checkpoint>, options: UnionOptions): Unified {
  const inputs = [...models].map(([name, { tokenizerJson, config }]) => {
    if (!tokenizerJson)
      throw new EngineError('file-missing', `${name} has no tokenizer to join`, { file: 'tokenizer.json' })
    return { name, vocabulary: readVocabulary(tokenizerJson, name), rowCount: config.vocabSize }
  })
  const union = unionOf(inputs, options)
  const from = models.get(union.from)!
  const files = tokenizerFiles(from, union)
  const checkpoints = new Map(
    [...models].map(([name, checkpoint]) => [name, withUnion(name, checkpoint, models, union, files)]),
  )
  return { checkpoints, union }
}

interface TokenizerFiles {
  tokenizerJson: Record<string, unknown>
  tokenizerConfig: Record<string, unknown>
}

function tokenizerFiles(
  { tokenizerJson, tokenizerConfig }: Checkpoint,
  union: VocabularyUnion,
): TokenizerFiles {
  if (union.appended.length === 0) return { tokenizerJson: tokenizerJson!, tokenizerConfig }
  const model = tokenizerJson!.model as Record<string, unknown>
  const before = Array.isArray(tokenizerJson!.added_tokens) ? tokenizerJson!.added_tokens : []
  const fresh = union.appended.filter(({ added }) => !added)
  const merges = Array.isArray(model.merges) ? model.merges : []
  const asPairs = Array.isArray(merges[0])
  const decoder = tokenizerConfig.added_tokens_decoder as Record<string, unknown> | undefined
  const added = union.appended.flatMap(({ id, added: entry }) => (entry ? [{ id, raw: entry.raw }] : []))
  return {
    tokenizerJson: {
      ...tokenizerJson,
      added_tokens: [...before, ...added.map(({ id, raw }) => ({ ...raw, id }))],
      model: {
        ...model,
        vocab: {
          ...(model.vocab as Record<string, number>),
          ...Object.fromEntries(fresh.map(({ id, token }) => [token, id])),
        },
        merges: [...merges, ...union.appendedRules.map((rule) => (asPairs ? splitRule(rule) : rule))],
      },
    },
    tokenizerConfig: decoder
      ? {
          ...tokenizerConfig,
          added_tokens_decoder: {
            ...decoder,
            ...Object.fromEntries(added.map(({ id, raw: { id: _, ...raw } }) => [String(id), raw])),
          },
        }
      : tokenizerConfig,
  }
}

const splitRule = (rule: string): string[] => {
  const at = rule.indexOf(' ', 1)
  return [rule.slice(0, at), rule.slice(at + 1)]
}

function withUnion(
  name: string,
  checkpoint: Checkpoint,
  models: ReadonlyMap<string, Checkpoint>,
  union: VocabularyUnion,
  files: TokenizerFiles,
): Checkpoint {
  const rows = union.rows.get(name)!
  const isSame =
    union.appended.length === 0 &&
    checkpoint.config.vocabSize === union.rowCount &&
    rows.every(([own], id) => own?.model === name && own.row === id)
  if (isSame) return checkpoint
  const reshape = (spec: WeightSpec): WeightSpec =>
    spec.role === 'embedding' || spec.role === 'head'
      ? { ...spec, shape: [union.rowCount, spec.shape[1]] }
      : spec
  const weights = checkpoint.weights.map(reshape)
  const stored = new Map(checkpoint.stored)
  for (const { name: tensor, role, shape } of weights)
    if (role === 'embedding' || role === 'head') {
      const own = checkpoint.stored.get(tensor)!
      const others = new Map(
        [...models].flatMap(([model, other]) => {
          const weight = other.stored.get(tensor)
          return weight ? [[model, weight] as const] : []
        }),
      )
      stored.set(tensor, unionWeight(own, [shape[0], shape[1]], rows, union.padding, others))
    }
  const rawConfig = {
    ...withTokenIds(checkpoint.rawConfig, models.get(union.from)!.rawConfig),
    vocab_size: union.rowCount,
  }
  return {
    ...checkpoint,
    ...files,
    folder: overlay(checkpoint.folder, { ...files, rawConfig }),
    config: {
      ...checkpoint.config,
      vocabSize: union.rowCount,
      endTokens: models.get(union.from)!.config.endTokens,
      raw: rawConfig,
    },
    rawConfig,
    weights,
    stored,
    parameterCount: weights.reduce((sum, weight) => sum + countOf(weight), 0),
    async readWeight(tensor, signal) {
      const weight = stored.get(tensor)
      if (weight === checkpoint.stored.get(tensor) || !weight) return checkpoint.readWeight(tensor, signal)
      return {
        bytes: new Uint8Array((await readElements(weight, 0, countOf(weight), signal)).buffer),
        type: 'f32',
      }
    },
  }
}

/** A config with the ids that another gives its special tokens: they are ids in the other's vocabulary. */
function withTokenIds(raw: Record<string, unknown>, from: Record<string, unknown>): Record<string, unknown> {
  const isId = ([key]: [string, unknown]) => /^(bos|eos|pad|unk|sep|decoder_start)_token_id$/.test(key)
  return Object.fromEntries([
    ...Object.entries(raw).filter((entry) => !isId(entry)),
    ...Object.entries(from).filter(isId),
  ])
}

/** A matrix of `rows`, each the mean of rows of the models' own; rows that follow one another are read at once. */
function unionWeight(
  own: StoredWeight,
  shape: [number, number],
  rows: readonly TokenRow[][],
  padding: readonly number[],
  models: ReadonlyMap<string, StoredWeight>,
): StoredWeight {
  const [, columns] = shape
  const about = { ...own, shape, granule: columns }
  const isPadding = new Set(padding)
  let mean: Promise<Float32Array> | undefined
  const readRow = async ({ model, row }: TokenRow, count: number, signal?: AbortSignal) => {
    const weight = models.get(model)
    if (!weight) throw new EngineError('shape-mismatch', `${model} lacks a weight`, { tensor: own.name })
    return readElements(weight, row * columns, count * columns, signal)
  }
  const one = async (id: number, signal?: AbortSignal): Promise<Float32Array> => {
    if (isPadding.has(id)) {
      // A read that was stopped must not be remembered.
      mean ??= meanRow(own, columns, signal).catch((error) => {
        mean = undefined
        throw error
      })
      return mean
    }
    const sum = new Float64Array(columns)
    for (const place of rows[id]) {
      const values = await readRow(place, 1, signal)
      for (let c = 0; c < columns; c++) sum[c] += values[c] / rows[id].length
    }
    return Float32Array.from(sum)
  }
  return {
    ...about,
    async read(begin, count, signal) {
      checkElements(about, begin, count)
      const out = new Float32Array(count)
      const [first, last] = [begin / columns, (begin + count) / columns]
      for (let id = first; id < last; ) {
        const [place] = rows[id]
        let end = id + 1
        if (rows[id].length === 1 && !isPadding.has(id)) {
          while (end < last && follows(rows[end], place, end - id) && !isPadding.has(end)) end++
          out.set(await readRow(place, end - id, signal), (id - first) * columns)
        } else out.set(await one(id, signal), (id - first) * columns)
        id = end
      }
      return { bytes: new Uint8Array(out.buffer), encoding: 'f32' }
    },
  }
}

const follows = (rows: readonly TokenRow[], { model, row }: TokenRow, steps: number): boolean =>
  rows.length === 1 && rows[0].model === model && rows[0].row === row + steps

const STRIP_ELEMENTS = 2 ** 20

/** Mean over all rows of a matrix, strip by strip. */
async function meanRow(weight: StoredWeight, columns: number, signal?: AbortSignal): Promise<Float32Array> {
  const total = countOf(weight)
  const strip = Math.max(columns, Math.floor(STRIP_ELEMENTS / columns) * columns)
  const sum = new Float64Array(columns)
  for (let begin = 0; begin < total; begin += strip) {
    const values = await readElements(weight, begin, Math.min(strip, total - begin), signal)
    for (let i = 0; i < values.length; i++) sum[i % columns] += values[i]
  }
  return Float32Array.from(sum, (value) => (value * columns) / total)
}

/** The folder with the files that the union changes; those that would contradict them are gone. */
function overlay(
  folder: CheckpointFolder,
  { tokenizerJson, tokenizerConfig, rawConfig }: TokenizerFiles & { rawConfig: Record<string, unknown> },
): CheckpointFolder {
  const files = new Map<string, unknown>([
    ['tokenizer.json', tokenizerJson],
    ['tokenizer_config.json', tokenizerConfig],
    ['config.json', rawConfig],
  ])
  const encoder = new TextEncoder()
  return {
    name: folder.name,
    list: () => folder.list().filter((path) => !SUPERSEDED.includes(path)),
    async file(path, signal) {
      if (SUPERSEDED.includes(path)) return undefined
      const json = files.get(path)
      if (json === undefined) return folder.file(path, signal)
      return new MemorySource(encoder.encode(`${JSON.stringify(json, null, 2)}\n`), path)
    },
  }
}
