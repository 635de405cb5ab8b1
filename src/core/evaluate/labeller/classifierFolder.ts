// The files of an ONNX text classifier as Hugging Face folders have them: model.onnx (or onnx/model.onnx),
// tokenizer.json, config.json, and tokenizer_config.json where there is one. Reads and checks; runs nothing.

import { EngineError } from '../../errors.ts'
import { type CheckpointFolder, readJson, readJsonIfPresent } from '../../files/folder.ts'
import type { Bytes } from '../../files/source.ts'
import { openTokenizer } from '../../files/tokenizer.ts'
import type { Activation } from './labeller.ts'

/** wasm has 4 GiB, and a graph needs about three times its own size while it is opened. */
const MAX_MODEL_BYTES = 2 ** 30
const MAX_CLASSES = 4096
/** Where neither config nor tokenizer says more. */
const DEFAULT_MAX_TOKENS = 512
/** Models whose positions begin after the padding token's own. */
const OFFSET_POSITIONS = /roberta|camembert|longformer|mpnet|bart/

export interface ClassifierFiles {
  name: string
  /** path of the graph inside the folder */ modelPath: string
  model: Bytes
  /** all that scores follow from beside the graph, as text for the digest */ meaning: string
  tokenizer: ReturnType<typeof openTokenizer>
  padToken: number
  maxTokens: number
  /** names by index; undefined where the config has none */ classes: string[] | undefined
  /** what the config says or implies; undefined where it leaves it open */ activation: Activation | undefined
}

/** Reads a classifier's folder. Rejects `file-missing`, `file-malformed`, `file-unsupported`, `cancelled`. */
export async function readClassifier(
  folder: CheckpointFolder,
  signal?: AbortSignal,
): Promise<ClassifierFiles> {
  const config = await readJson(folder, 'config.json', signal)
  const tokenizerJson = await readJson(folder, 'tokenizer.json', signal)
  const tokenizerConfig = (await readJsonIfPresent(folder, 'tokenizer_config.json', signal)) ?? {}
  const modelPath = findModel(folder)
  const source = (await folder.file(modelPath, signal))!
  if (source.size > MAX_MODEL_BYTES)
    throw new EngineError(
      'file-unsupported',
      `expected a graph of at most ${MAX_MODEL_BYTES} bytes, found ${source.size}`,
      { file: modelPath },
    )
  const tokenizer = openTokenizer(tokenizerJson, tokenizerConfig)
  return {
    name: folder.name,
    modelPath,
    model: await source.read(0, source.size, signal),
    meaning: JSON.stringify([config, tokenizerJson, tokenizerConfig]),
    tokenizer,
    padToken: padTokenOf(config, tokenizer),
    maxTokens: maxTokensOf(config, tokenizerConfig),
    classes: readClasses(config),
    activation: activationOf(config),
  }
}

function findModel(folder: CheckpointFolder): string {
  const graphs = folder.list().filter((path) => path.endsWith('.onnx'))
  const outside = folder.list().find((path) => /\.onnx[._]data/.test(path))
  if (outside !== undefined)
    throw new EngineError('file-unsupported', 'weights beside the graph: expected all in one .onnx file', {
      file: outside,
    })
  const usual = ['model.onnx', 'onnx/model.onnx'].find((path) => graphs.includes(path))
  if (usual) return usual
  if (graphs.length === 1) return graphs[0]
  const found = graphs.length === 0 ? 'no .onnx file' : graphs.slice(0, 5).join(', ')
  throw new EngineError('file-missing', `expected one graph, found ${found}`, { file: 'model.onnx' })
}

function padTokenOf(config: Record<string, unknown>, tokenizer: ClassifierFiles['tokenizer']): number {
  if (
    typeof config.pad_token_id === 'number' &&
    Number.isInteger(config.pad_token_id) &&
    config.pad_token_id >= 0
  )
    return config.pad_token_id
  return tokenizer.token_to_id('[PAD]') ?? tokenizer.token_to_id('<pad>') ?? 0
}

function maxTokensOf(config: Record<string, unknown>, tokenizerConfig: Record<string, unknown>): number {
  const count = (value: unknown) =>
    typeof value === 'number' && Number.isInteger(value) && value > 2 && value < 1e6 ? value : undefined
  const positions = count(config.max_position_embeddings)
  const padding = typeof config.pad_token_id === 'number' ? config.pad_token_id + 1 : 0
  const usable =
    positions && (OFFSET_POSITIONS.test(String(config.model_type)) ? positions - padding : positions)
  const own = count(tokenizerConfig.model_max_length)
  return Math.min(usable ?? own ?? DEFAULT_MAX_TOKENS, own ?? usable ?? DEFAULT_MAX_TOKENS)
}

function readClasses(config: Record<string, unknown>): string[] | undefined {
  const raw = config.id2label
  if (raw === undefined || raw === null) return undefined
  const fail = (what: string): never => {
    throw new EngineError('file-malformed', `id2label: ${what}`, { file: 'config.json' })
  }
  if (typeof raw !== 'object' || Array.isArray(raw)) return fail('expected an object of names by index')
  const entries = Object.entries(raw)
  if (entries.length === 0 || entries.length > MAX_CLASSES)
    return fail(`expected 1 … ${MAX_CLASSES} classes, found ${entries.length}`)
  return entries.map((_, index) => {
    const name: unknown = (raw as Record<string, unknown>)[String(index)]
    return typeof name === 'string' && name.trim() !== ''
      ? name
      : fail(`expected a name for each class from 0 to ${entries.length - 1}, class ${index} has none`)
  })
}

function activationOf(config: Record<string, unknown>): Activation | undefined {
  switch (config.problem_type) {
    case 'single_label_classification':
      return 'softmax'
    case 'multi_label_classification':
    // A reward model's one number: any increasing map keeps its order, and ours must end in [0, 1].
    case 'regression':
      return 'sigmoid'
    case undefined:
    case null:
      return undefined
    default:
      throw new EngineError(
        'file-unsupported',
        `problem_type: expected single_label_classification, multi_label_classification or regression, found ${JSON.stringify(config.problem_type)}`,
        { file: 'config.json' },
      )
  }
}
