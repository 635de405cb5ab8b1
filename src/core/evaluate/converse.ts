// One question to several models that answer side by side: a token each in turn, so that no column waits for another
// to end and everything on the device stays in one line. A model that fails fails alone.

import { EngineError, throwIfCancelled } from '../errors.ts'
import type { DeviceModel } from '../model/deviceModel.ts'
import { type ChooseToken, generate } from '../model/generate.ts'
import { type ForwardModel, isForwardModel } from './forwardModel.ts'
import { type ChatSampling, checkChatSampling, chooseToken } from './sampling.ts'

export interface Speaker {
  /** the chat up to where the answer begins */ prompt: readonly number[]
  /** called when its first turn comes */
  open: () => Promise<DeviceModel | ForwardModel>
  /** who answers from the start when what was opened has failed; undefined: nobody */
  instead?: ((error: unknown) => DeviceModel | ForwardModel | undefined) | undefined
}

export interface Spoken {
  /** new ids, the end token included when one came */ ids: number[]
  /** time of its own turns, without opening */ durationMs: number
  failure?: EngineError
}

export interface ConverseOptions {
  sampling: ChatSampling
  maxNewTokens: number
  endTokens: readonly number[]
  signal?: AbortSignal | undefined
  /** ids of speaker `s` so far, after each of its tokens */
  onToken?: ((s: number, ids: readonly number[]) => void) | undefined
}

/** First come, first served. */
class Turns {
  readonly #waiting: (() => void)[] = []
  #isTaken = false

  async take(): Promise<void> {
    if (this.#isTaken) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    this.#isTaken = true
  }

  pass(): void {
    const next = this.#waiting.shift()
    // Stays taken on its way to the next: who comes in between waits.
    if (next) next()
    else this.#isTaken = false
  }
}

/**
 * Answers of all speakers. A speaker whose prompt leaves no position, whose logits are not finite or whose runtime
 * breaks has its `failure`; `cancelled`, `device-lost` and a sampling that is none reject the whole.
 */
export async function converse(speakers: readonly Speaker[], options: ConverseOptions): Promise<Spoken[]> {
  checkChatSampling(options.sampling)
  const turns = new Turns()
  const answers = await Promise.all(speakers.map((speaker, s) => answerInTurn(speaker, s, turns, options)))
  throwIfCancelled(options.signal)
  const lost = answers.find(({ failure }) => failure?.code === 'device-lost')
  if (lost?.failure) throw lost.failure
  return answers
}

async function answerInTurn(
  speaker: Speaker,
  s: number,
  turns: Turns,
  { sampling, maxNewTokens, endTokens, signal, onToken }: ConverseOptions,
): Promise<Spoken> {
  let ids: number[] = []
  let durationMs = 0
  let begun = 0
  const take = async () => {
    await turns.take()
    begun = performance.now()
  }
  const pass = () => {
    durationMs += performance.now() - begun
    turns.pass()
  }
  const say = async (model: DeviceModel | ForwardModel): Promise<void> => {
    const { prompt } = speaker
    const room = model.config.maxPositions - prompt.length
    if (room < 1)
      throw new EngineError(
        'request-invalid',
        `the chat has ${prompt.length} tokens, the model reads at most ${model.config.maxPositions - 1}`,
      )
    ids = []
    const said = new Set(prompt)
    const choose: ChooseToken = async (logits) => {
      const token = chooseToken(logits, sampling, said, ids.length)
      ids.push(token)
      said.add(token)
      onToken?.(s, ids)
      pass()
      await take()
      throwIfCancelled(signal)
      return token
    }
    const settings = { maxNewTokens: Math.min(maxNewTokens, room), endTokens, choose, signal }
    if (isForwardModel(model)) await model.generate([prompt], settings)
    else await generate(model, [prompt], settings)
  }
  await take()
  try {
    throwIfCancelled(signal)
    try {
      const opened = await speaker.open()
      // What it takes to open a model is not what it takes to answer.
      begun = performance.now()
      await say(opened)
    } catch (error) {
      const other = signal?.aborted ? undefined : speaker.instead?.(error)
      if (!other) throw error
      await say(other)
    }
    return { ids, durationMs }
  } catch (error) {
    if (!(error instanceof EngineError)) throw error
    return { ids, durationMs, failure: error }
  } finally {
    pass()
  }
}
