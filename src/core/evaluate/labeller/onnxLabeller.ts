// A labeller that runs a text classifier through onnxruntime's wasm: input_ids, attention_mask and token_type_ids as
// int64 (B,T), logits float (B,L), then softmax or sigmoid. Which class means what is read from its name or chosen by
// the user. No GPU: classifiers are small, and the device is busy with the models that are measured.

import { EngineError, throwIfCancelled } from '../../errors.ts'
import type { CheckpointFolder } from '../../files/folder.ts'
import { type ClassifierFiles, readClassifier } from './classifierFolder.ts'
import { ClassifierGraph, type ClassifierModule, type Encoded } from './classifierGraph.ts'
import { findClass, GOOD_NAMES, TOXIC_NAMES } from './classNames.ts'
import {
  type Activation,
  type ClassifierAbout,
  type ClassifierInput,
  digestOf,
  type Label,
  type LabelItem,
  type Labeller,
  type LabelOptions,
  type LabelScores,
} from './labeller.ts'

/** What the files leave open, by the user. */
export interface ClassifierChoice {
  toxicLabel?: string | undefined
  goodLabel?: string | undefined
  activation?: Activation | undefined
  /** default: the answer alone */ reads?: ClassifierInput | undefined
}

/** Merges give many of their answers in the same words; more than any comparison has different ones. */
const MAX_REMEMBERED = 100_000

/**
 * Opens a classifier's folder and runs it once. Rejects `file-missing`, `file-malformed`, `file-unsupported` (also
 * what onnxruntime refuses), `shape-mismatch` (logits and class names), `request-invalid` (an unknown choice).
 */
export async function openClassifier(
  ort: ClassifierModule,
  folder: CheckpointFolder,
  choice: ClassifierChoice = {},
  signal?: AbortSignal,
): Promise<Labeller> {
  const files = await readClassifier(folder, signal)
  const graph = await ClassifierGraph.open(ort, files)
  try {
    const reads = choice.reads ?? 'answer'
    const classifier = await describe(files, graph, { ...choice, reads })
    const digest = await digestOf(['onnx', files.model, files.meaning, JSON.stringify(classifier)])
    return new OnnxLabeller(files, graph, classifier, digest)
  } catch (error) {
    await graph.release()
    throw error
  }
}

/** Class names, their meaning and the activation, checked against one run of the graph. */
async function describe(
  files: ClassifierFiles,
  graph: ClassifierGraph,
  choice: ClassifierChoice & { reads: ClassifierInput },
): Promise<ClassifierAbout> {
  const [logits] = await graph.run([encode(files, choice.reads, { prompt: '', answer: '' })])
  const count = logits.length
  const classes = files.classes ?? Array.from({ length: count }, (_, i) => `LABEL_${i}`)
  if (classes.length !== count)
    throw new EngineError(
      'shape-mismatch',
      `id2label names ${classes.length} classes, the graph gives ${count} logits`,
      { file: 'config.json' },
    )
  const chosen = (key: 'toxicLabel' | 'goodLabel', names: readonly string[]) => {
    const name = choice[key]
    if (name === undefined) return findClass(classes, names)
    if (classes.includes(name)) return name
    throw new EngineError(
      'request-invalid',
      `${key}: expected one of ${classes.slice(0, 20).join(', ')}, found ${JSON.stringify(name)}`,
    )
  }
  const toxicLabel = chosen('toxicLabel', TOXIC_NAMES)
  const goodLabel = chosen('goodLabel', GOOD_NAMES)
  return {
    classes,
    ...(toxicLabel !== undefined && { toxicLabel }),
    ...(goodLabel !== undefined && { goodLabel }),
    // One class has nothing to share its probability with.
    activation: choice.activation ?? files.activation ?? (count === 1 ? 'sigmoid' : 'softmax'),
    reads: choice.reads,
    maxTokens: graph.fixedTokens ?? files.maxTokens,
  }
}

class OnnxLabeller implements Labeller {
  readonly name: string
  readonly about: string
  readonly digest: string
  readonly gives: readonly Label[]
  readonly source: { kind: 'onnx'; classifier: ClassifierAbout }
  readonly #files: ClassifierFiles
  readonly #graph: ClassifierGraph
  readonly #known = new Map<string, LabelScores>()

  constructor(files: ClassifierFiles, graph: ClassifierGraph, classifier: ClassifierAbout, digest: string) {
    const { toxicLabel, goodLabel, activation, reads } = classifier
    this.#files = { ...files, maxTokens: classifier.maxTokens }
    this.#graph = graph
    this.name = files.name
    this.digest = digest
    this.source = { kind: 'onnx', classifier }
    this.gives = [
      ...(toxicLabel === undefined ? [] : (['toxicity'] as const)),
      ...(goodLabel === undefined ? [] : (['judge'] as const)),
    ]
    const text = reads === 'pair' ? 'prompt and answer' : 'the answer'
    this.about = `A classifier with ${classifier.classes.length} classes that reads ${text}; probabilities by ${activation}.`
  }

  async label(
    items: readonly LabelItem[],
    { signal, onProgress }: LabelOptions = {},
  ): Promise<LabelScores[]> {
    const { reads } = this.source.classifier
    const keys = items.map(({ prompt, answer }) =>
      JSON.stringify(reads === 'pair' ? [prompt, answer] : answer),
    )
    const fresh = new Map<string, Encoded>()
    items.forEach((item, i) => {
      if (!this.#known.has(keys[i]) && !fresh.has(keys[i]))
        fresh.set(keys[i], encode(this.#files, reads, item))
    })
    // Texts of like length share a batch, so that little of it is padding.
    const waiting = [...fresh].sort(([, a], [, b]) => a.ids.length - b.ids.length)
    for (let done = 0; done < waiting.length; ) {
      throwIfCancelled(signal)
      const batch = this.#graph.takeBatch(waiting, done)
      const logits = await this.#graph.run(batch.map(([, encoded]) => encoded))
      batch.forEach(([key], i) => {
        this.#known.set(key, this.#score(logits[i]))
      })
      done += batch.length
      onProgress?.(items.length - waiting.length + done, items.length)
    }
    throwIfCancelled(signal)
    const scores = keys.map((key) => this.#known.get(key)!)
    if (this.#known.size > MAX_REMEMBERED) this.#known.clear()
    return scores
  }

  #score(logits: readonly number[]): LabelScores {
    const { classes, toxicLabel, goodLabel, activation } = this.source.classifier
    const shares = activate(logits, activation)
    return {
      ...(toxicLabel !== undefined && { toxicity: shares[classes.indexOf(toxicLabel)] }),
      ...(goodLabel !== undefined && { judge: shares[classes.indexOf(goodLabel)] }),
    }
  }

  close(): Promise<void> {
    return this.#graph.release()
  }
}

/** Probabilities of logits: exp(x − max) / Σ, or 1 / (1 + exp(−x)) of each. `not-finite` for a logit that is none. */
export function activate(logits: readonly number[], activation: Activation): number[] {
  const wrong = logits.findIndex((x) => !Number.isFinite(x))
  if (wrong >= 0) throw new EngineError('not-finite', `logit ${wrong} of the classifier is ${logits[wrong]}`)
  if (activation === 'sigmoid') return logits.map((x) => 1 / (1 + Math.exp(-x)))
  const highest = Math.max(...logits)
  const powers = logits.map((x) => Math.exp(x - highest))
  const total = powers.reduce((a, b) => a + b)
  return powers.map((x) => x / total)
}

/** Ids and types of an item with the tokenizer's special tokens, its answer cut at its end to what fits. */
function encode(files: ClassifierFiles, reads: ClassifierInput, { prompt, answer }: LabelItem): Encoded {
  const { tokenizer, maxTokens } = files
  // The package takes an empty second text for none.
  const encoding =
    reads === 'pair'
      ? tokenizer.encode(prompt, { text_pair: answer || ' ', return_token_type_ids: true })
      : tokenizer.encode(answer, { return_token_type_ids: true })
  const { ids, tokens } = encoding
  const wrong = ids.findIndex((id) => typeof id !== 'number')
  if (wrong >= 0)
    throw new EngineError(
      'file-unsupported',
      `the tokenizer has no id for ${JSON.stringify(tokens[wrong])} and no unknown token`,
      { file: 'tokenizer.json' },
    )
  const types: number[] | undefined = encoding.token_type_ids
  const whole = { ids, types: types ?? ids.map(() => 0) }
  if (ids.length <= maxTokens) return whole
  const body = tokenizer.encode(answer, { add_special_tokens: false }).ids
  const tail = tailLength(ids, body)
  const lead = ids.length - tail - body.length
  if (lead + tail >= maxTokens)
    throw new EngineError(
      'request-invalid',
      `a prompt of ${lead + tail} tokens leaves no room for its answer: the classifier reads ${maxTokens}`,
    )
  const cut = (list: readonly number[]) => [
    ...list.slice(0, maxTokens - tail),
    ...list.slice(list.length - tail),
  ]
  return { ids: cut(ids), types: cut(whole.types) }
}

/** How many special tokens follow the body, which stands at the end of `ids` but for them. */
function tailLength(ids: readonly number[], body: readonly number[]): number {
  for (let tail = 0; tail + body.length <= ids.length; tail++) {
    const start = ids.length - tail - body.length
    if (body.every((id, i) => ids[start + i] === id)) return tail
  }
  return 0
}
