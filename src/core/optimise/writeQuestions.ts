// Questions written by a model: the opening of a question of the estimating probes, continued inside the user's turn
// by seeded samples until the model closes the turn. Models trained on answers alone have never been asked to write a
// question; for them the continuation is drawn among words that follow each other in the probes' questions ('seen'):
// the model chooses which, so that verbs and objects meet anew. Models that write freely need no such help ('any').

import { throwIfCancelled } from '../errors.ts'
import type { TextCodec } from '../files/tokenizer.ts'
import { Batch } from '../model/batch.ts'
import type { DeviceModel } from '../model/deviceModel.ts'
import { forward } from '../model/forward.ts'
import { headLogits, logitStride, releaseHead } from '../model/head.ts'
import { Random } from '../tensors/random.ts'

/** Stream of the draws. */
const STREAM = 402
const BATCH = 64

export interface WritingOptions {
  count: number
  seed: number
  /** of the draws, above 0 */ temperature: number
  /** seen: each token must follow the one before in some question of `seeds`; any: the whole vocabulary */
  support: 'seen' | 'any'
  signal?: AbortSignal | undefined
}

/** A seed's tokens inside the template's user turn. */
interface Turn {
  before: number[]
  text: number[]
  /** closes the turn */ end: number
}

function turnOf(codec: TextCodec, question: string): Turn | undefined {
  const text = codec.encodeText(question)
  const whole = codec.encodePrompt(question)
  for (let at = 0; at + text.length < whole.length; at++)
    if (text.every((id, i) => whole[at + i] === id))
      return { before: whole.slice(0, at), text, end: whole[at + text.length] }
  return undefined
}

/**
 * `count` questions, each from the opening of one of `seeds`; undefined where the model did not close the turn in
 * time. Seeds whose tokens change inside the template are left out.
 */
export async function writeQuestions(
  model: DeviceModel,
  codec: TextCodec,
  seeds: readonly string[],
  { count, seed, temperature, support, signal }: WritingOptions,
): Promise<(string | undefined)[]> {
  const turns = seeds.flatMap((text) => turnOf(codec, text) ?? []).filter(({ text }) => text.length > 1)
  if (turns.length === 0) return new Array<undefined>(count).fill(undefined)
  const random = new Random(seed, STREAM)
  const followers = support === 'seen' ? followersOf(turns) : undefined
  const limit = Math.max(...turns.map(({ text }) => text.length)) + 2
  const written: (string | undefined)[] = []
  for (let from = 0; from < count; from += BATCH) {
    const drafts = Array.from({ length: Math.min(BATCH, count - from) }, () => {
      const turn = turns[random.integer(turns.length)]
      return { ...turn, ids: turn.text.slice(0, 1 + random.integer(turn.text.length - 1)), isClosed: false }
    })
    for (;;) {
      throwIfCancelled(signal)
      const open = drafts.filter(({ isClosed, ids }) => !isClosed && ids.length < limit)
      if (open.length === 0) break
      const logits = await lastLogits(
        model,
        open.map(({ before, ids }) => [...before, ...ids]),
      )
      open.forEach((draft, i) => {
        const allowed = followers?.get(draft.ids[draft.ids.length - 1])
        const next = drawToken(logits[i], temperature, random, allowed)
        if (next === draft.end) draft.isClosed = true
        else draft.ids.push(next)
      })
    }
    for (const { isClosed, ids } of drafts)
      written.push(isClosed ? codec.decode(ids.filter((id) => id < codec.vocabSize)) : undefined)
  }
  return written
}

/** Tokens that follow each token in the turns, in order of first sight. */
function followersOf(turns: readonly Turn[]): Map<number, number[]> {
  const followers = new Map<number, Set<number>>()
  for (const { text, end } of turns)
    text.forEach((id, i) => {
      const known = followers.get(id) ?? new Set()
      known.add(text[i + 1] ?? end)
      followers.set(id, known)
    })
  return new Map([...followers].map(([id, known]) => [id, [...known]]))
}

/** A draw from softmax(logits / temperature) over `allowed`, or all. */
function drawToken(
  logits: Float32Array,
  temperature: number,
  random: Random,
  allowed: readonly number[] = Array.from(logits.keys()),
): number {
  const top = Math.max(...allowed.map((id) => logits[id]))
  const weights = allowed.map((id) => Math.exp((logits[id] - top) / temperature))
  let rest = random.uniform() * weights.reduce((sum, weight) => sum + weight, 0)
  const at = weights.findIndex((weight) => {
    rest -= weight
    return rest < 0
  })
  return allowed[at < 0 ? allowed.length - 1 : at]
}

/** Logits (V) after the last token of each sequence. */
async function lastLogits(model: DeviceModel, sequences: number[][]): Promise<Float32Array[]> {
  const { gpu, config } = model
  const batch = new Batch(
    gpu,
    config,
    sequences.map((ids) => ({ ids })),
  )
  const pass = forward(model, batch, { keep: false })
  const rows = batch.upload(Uint32Array.from(sequences, (_, s) => batch.starts[s + 1] - 1))
  const head = headLogits(model, pass.stream, rows, sequences.length)
  pass.release()
  const stride = logitStride(model)
  const values = await gpu.readFloats(head.logits, sequences.length * stride)
  releaseHead(model, head)
  batch.release()
  return sequences.map((_, s) => values.subarray(s * stride, s * stride + config.vocabSize))
}
