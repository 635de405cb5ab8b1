// A made-up text classifier of a few kilobytes for tests: tokenizer.json, config.json and an ONNX graph written by
// our own writer. logits = mean over the unmasked tokens of (E[id] + T[type]) · W + b; `classifierLogits` is the same
// in float64. Not a model anyone would trust.

import { OnnxGraph } from '../core/evaluate/ort/onnxWriter.ts'
import { Random } from '../core/tensors/random.ts'

export const CLASSIFIER_WORDS = [
  '[PAD]',
  '[UNK]',
  '[CLS]',
  '[SEP]',
  'sure',
  'sorry',
  'no',
  'bomb',
  'tea',
  '.',
  '##s',
]

const ids = (token: string) => CLASSIFIER_WORDS.indexOf(token)

/** WordPiece as BERT has it: [CLS] A [SEP], pairs [CLS] A [SEP] B [SEP] with type 1 from B on. */
export function classifierTokenizer(): Record<string, unknown> {
  const special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]']
  const mark = (id: string, type_id: number) => ({ SpecialToken: { id, type_id } })
  const text = (id: string, type_id: number) => ({ Sequence: { id, type_id } })
  return {
    version: '1.0',
    added_tokens: special.map((content) => ({
      id: ids(content),
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single: [mark('[CLS]', 0), text('A', 0), mark('[SEP]', 0)],
      pair: [mark('[CLS]', 0), text('A', 0), mark('[SEP]', 0), text('B', 1), mark('[SEP]', 1)],
      special_tokens: Object.fromEntries(
        ['[CLS]', '[SEP]'].map((token) => [token, { id: token, ids: [ids(token)], tokens: [token] }]),
      ),
    },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(CLASSIFIER_WORDS.map((token, id) => [token, id])),
    },
  }
}

export interface TinyClassifier {
  /** (V,C), (2,C), (C,L), (L) */
  weights: { embedding: number[]; types: number[]; head: number[]; bias: number[] }
  width: number
  classes: number
}

export function tinyClassifier(classes: number, seed: number): TinyClassifier {
  const random = new Random(seed)
  const width = 5
  // Rounded to float32, so that graph and float64 start from the same numbers.
  const draw = (count: number, spread: number) => Array.from(random.normals(count, spread), Math.fround)
  return {
    weights: {
      embedding: draw(CLASSIFIER_WORDS.length * width, 1),
      types: draw(2 * width, 0.7),
      head: draw(width * classes, 1.5),
      bias: draw(classes, 0.5),
    },
    width,
    classes,
  }
}

export interface ClassifierGraphOptions {
  /** inputs of the graph; input_ids always */ inputs?: readonly string[]
  /** fixed sizes instead of symbolic ones */ batch?: number
  sequence?: number
  output?: string
}

/** The graph of `model`, int64 inputs (B,T), float output (B,L). */
export function classifierGraph(
  model: TinyClassifier,
  options: ClassifierGraphOptions = {},
): Uint8Array<ArrayBuffer> {
  const { weights, width: C, classes: L } = model
  const { inputs = ['input_ids', 'attention_mask', 'token_type_ids'], output = 'logits' } = options
  const B = options.batch ?? 'B'
  const graph = new OnnxGraph()
  for (const name of inputs) graph.input(name, 'int64', [B, options.sequence ?? 'T'])
  const embedding = graph.constant('float32', weights.embedding, [CLASSIFIER_WORDS.length, C])
  let sum = graph.node('Gather', [embedding, 'input_ids'], 'embedded', { axis: 0 })
  if (inputs.includes('token_type_ids')) {
    const types = graph.constant('float32', weights.types, [2, C])
    const typed = graph.node('Gather', [types, 'token_type_ids'], 'typed', { axis: 0 })
    sum = graph.node('Add', [sum, typed], 'sum')
  }
  const second = graph.constant('int64', [1])
  const mask = inputs.includes('attention_mask')
    ? graph.node('Cast', ['attention_mask'], 'mask', { to: 1 })
    : undefined
  let mean: string
  if (mask) {
    const column = graph.node('Unsqueeze', [mask, graph.constant('int64', [2])], 'column')
    const masked = graph.node('Mul', [sum, column], 'masked')
    const total = graph.node('ReduceSum', [masked, second], 'total', { keepdims: 0 })
    const count = graph.node('ReduceSum', [mask, second], 'count', { keepdims: 1 })
    mean = graph.node('Div', [total, count], 'mean')
  } else mean = graph.node('ReduceMean', [sum, second], 'mean', { keepdims: 0 })
  const product = graph.node('MatMul', [mean, graph.constant('float32', weights.head, [C, L])], 'product')
  graph.node('Add', [product, graph.constant('float32', weights.bias, [L])], output)
  graph.output(output, 'float32', [B, L])
  return graph.toModel('a test')
}

/** Logits (L) of one sequence in float64. */
export function classifierLogits(
  { weights, width: C, classes: L }: TinyClassifier,
  tokens: readonly number[],
  types: readonly number[] | undefined,
): number[] {
  const mean = Array.from({ length: C }, (_, c) => {
    let total = 0
    tokens.forEach((id, t) => {
      total += weights.embedding[id * C + c] + (types ? weights.types[types[t] * C + c] : 0)
    })
    return total / tokens.length
  })
  return Array.from({ length: L }, (_, l) =>
    mean.reduce((sum, x, c) => sum + x * weights.head[c * L + l], weights.bias[l]),
  )
}

/** Files of a classifier's folder, to be changed by the test. */
export function classifierFiles(
  graph: Uint8Array<ArrayBuffer>,
  config: Record<string, unknown>,
): Map<string, Uint8Array<ArrayBuffer> | string> {
  return new Map<string, Uint8Array<ArrayBuffer> | string>([
    [
      'config.json',
      JSON.stringify({ model_type: 'bert', max_position_embeddings: 16, pad_token_id: 0, ...config }),
    ],
    ['tokenizer.json', JSON.stringify(classifierTokenizer())],
    ['model.onnx', graph],
  ])
}
