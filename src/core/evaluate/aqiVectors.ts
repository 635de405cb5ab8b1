// The vectors of AQI: residual streams of the upper half of the layers, each averaged over the content tokens of a
// text, end to end. Layers and pooling are fixed (methods.md §2.4; the paper learns the layer weights). Three views:
//   prompts      harmless against harmful prompts, over the user's words
//   completions  aligned against misaligned completions of the same harmful prompts, over the completion
//   answers      the model's own greedy answers, over the answer, labelled by what they do
// Template and end markers are never pooled. The prompts view is the cheap one: it may only recognise the topic.

import { EngineError, throwIfCancelled } from '../errors.ts'
import type { TextCodec } from '../files/tokenizer.ts'
import { Batch } from '../model/batch.ts'
import type { ModelConfig } from '../model/config.ts'
import type { DeviceModel } from '../model/deviceModel.ts'
import { type Pooling, poolHidden } from '../model/gradients.ts'
import { sequencesPerBatch } from './answers.ts'
import type { Answered } from './behaviour.ts'
import { contentSpan, findPromptFrame } from './contentSpan.ts'
import { type ForwardModel, isForwardModel } from './forwardModel.ts'
import { type Probe, type ProbeFile, type ProbeSplit, pickProbes } from './probes.ts'
import type { ClassVectors } from './separation.ts'

export type AqiView = 'prompts' | 'completions' | 'answers'

/** One text whose hidden states are averaged over tokens start … end − 1. */
export interface AqiItem {
  ids: number[]
  start: number
  end: number
  label: 'safe' | 'unsafe'
  topic: string
}

export interface AqiChoice {
  /** probes of each class */ perClass: number
  seed: number
  /** default heldout */ split?: ProbeSplit
}

/** What stands behind an item: a probe, and the completion of it that is averaged; without one its prompt is. */
export interface AqiText {
  probe: Probe
  label: AqiItem['label']
  completion?: string
}

/** Texts of one of the two fixed views, in the order of its items. */
export function aqiTexts(
  view: Exclude<AqiView, 'answers'>,
  file: Pick<ProbeFile, 'items'>,
  { perClass, seed, split = 'heldout' }: AqiChoice,
): AqiText[] {
  if (view === 'prompts') {
    const picked = (set: 'harmless' | 'harmful', label: AqiItem['label']) =>
      pickProbes(file, set, split, perClass, seed).map((probe): AqiText => ({ probe, label }))
    return [...picked('harmless', 'safe'), ...picked('harmful', 'unsafe')]
  }
  // Only probes with both completions: the classes must differ in the answer alone.
  const paired = { items: file.items.filter(({ misaligned }) => misaligned !== undefined) }
  const harmful = pickProbes(paired, 'harmful', split, perClass, seed)
  return [
    ...harmful.map((probe): AqiText => ({ probe, label: 'safe', completion: probe.aligned })),
    ...harmful.map((probe): AqiText => ({ probe, label: 'unsafe', completion: probe.misaligned! })),
  ]
}

/** Items of one of the two fixed views. */
export function aqiItems(
  codec: TextCodec,
  view: Exclude<AqiView, 'answers'>,
  file: ProbeFile,
  choice: AqiChoice,
): AqiItem[] {
  const texts = aqiTexts(view, file, choice)
  const frame = view === 'prompts' ? findPromptFrame(codec) : undefined
  return texts.map(({ probe: { prompt, topic }, label, completion }) => {
    if (completion !== undefined) {
      const before = codec.encodePrompt(prompt)
      return spanned(before, codec.encodeCompletion(completion).slice(0, -1), label, topic)
    }
    const ids = codec.encodePrompt(prompt)
    const { start, end } = contentSpan(frame!, ids)
    // Nothing after the span reaches back into it.
    return { ids: ids.slice(0, end), start, end, label, topic }
  })
}

function spanned(
  before: readonly number[],
  content: readonly number[],
  label: AqiItem['label'],
  topic: string,
): AqiItem {
  if (content.length === 0) throw new EngineError('request-invalid', `an empty completion of topic ${topic}`)
  const ids = [...before, ...content]
  return { ids, start: before.length, end: ids.length, label, topic }
}

/** The class of an answer in the answers view: safe, unsafe, or neither. */
export function answerClass({ probe, kind, ids }: Answered): AqiItem['label'] | undefined {
  if (probe.set !== 'harmful' && probe.set !== 'harmless') return undefined
  if (kind === 'gibberish' || ids.length === 0) return undefined
  if (probe.set === 'harmless' || kind === 'refusal') return 'safe'
  // Neither refused nor complied with: such an answer to a harmful prompt says nothing about alignment.
  return kind === 'compliance' ? 'unsafe' : undefined
}

/**
 * Texts of the answers view from a model's answers to harmful and harmless prompts: safe are refusals and answers
 * to harmless prompts, unsafe is compliance with harmful ones. Ruined and undecided answers are left out.
 */
export function answerItems(codec: TextCodec, answered: readonly Answered[]): AqiItem[] {
  return answered.flatMap((answer) => {
    const { prompt, topic } = answer.probe
    const label = answerClass(answer)
    return label ? [spanned(codec.encodePrompt(prompt), answer.ids, label, topic)] : []
  })
}

/** Hidden states that are pooled: l ≥ L/2, from 1 to L (L: the residual stream before the final norm). */
export function pooledLayers({ layerCount }: Pick<ModelConfig, 'layerCount'>): number[] {
  const first = Math.max(1, Math.ceil(layerCount / 2))
  return Array.from({ length: layerCount - first + 1 }, (_, i) => first + i)
}

/** Spans of items that are packed into one batch in this order. */
export function poolingOf(config: Pick<ModelConfig, 'layerCount'>, items: readonly AqiItem[]): Pooling {
  const spanStart = new Uint32Array(items.length)
  const spanEnd = new Uint32Array(items.length)
  let offset = 0
  items.forEach(({ ids, start, end }, s) => {
    spanStart[s] = offset + start
    spanEnd[s] = offset + end
    offset += ids.length
  })
  return { spanStart, spanEnd, hidden: pooledLayers(config) }
}

/**
 * Pooled vectors of both classes, rows in the order of `items`, width |layers|·C. A class may be empty. Rejects
 * `cancelled`.
 */
export async function poolItems(
  model: DeviceModel | ForwardModel,
  items: readonly AqiItem[],
  options: {
    signal?: AbortSignal | undefined
    onProgress?: ((done: number, total: number) => void) | undefined
  } = {},
): Promise<ClassVectors> {
  const { config } = model
  const layers = pooledLayers(config)
  const width = layers.length * config.hiddenSize
  const counts = { safe: 0, unsafe: 0 }
  for (const { label } of items) counts[label]++
  const vectors = {
    safe: new Float32Array(counts.safe * width),
    unsafe: new Float32Array(counts.unsafe * width),
    width,
  }
  const next = { safe: 0, unsafe: 0 }
  const longest = Math.max(1, ...items.map(({ ids }) => ids.length))
  const size = sequencesPerBatch(config, longest, 0)
  for (let at = 0; at < items.length; at += size) {
    throwIfCancelled(options.signal)
    const part = items.slice(at, at + size)
    const pooled = isForwardModel(model)
      ? await model.poolHidden(part, layers, options.signal)
      : await poolOnDevice(model, part)
    part.forEach(({ label }, s) => {
      vectors[label].set(pooled.subarray(s * width, (s + 1) * width), width * next[label]++)
    })
    options.onProgress?.(at + part.length, items.length)
  }
  return vectors
}

async function poolOnDevice(model: DeviceModel, items: readonly AqiItem[]): Promise<Float32Array> {
  const batch = new Batch(model.gpu, model.config, items)
  try {
    return await poolHidden(model, batch, poolingOf(model.config, items))
  } finally {
    batch.release()
  }
}
