// Decoding of many prompts at once with a key-value cache on the device: greedy, or seeded samples. One token per
// sequence and step; a sequence stops at an end token or after `maxNewTokens`.

import { EngineError, throwIfCancelled } from '../errors.ts'
import { damp } from '../kernels/elementwise/elementwise.ts'
import { pickToken } from '../kernels/pickToken/pickToken.ts'
import { Batch } from './batch.ts'
import type { DeviceModel } from './deviceModel.ts'
import { forward, type KeyValueCache, type TokenContext } from './forward.ts'
import { type HeadRows, headLogits, logitStride, releaseHead } from './head.ts'
import { scratch } from './linear.ts'
import { rotaryTables } from './rotary.ts'

/** Draws from softmax(logits / temperature); a pure function of seed, place in the call's prompts, and step. */
export interface Sampling {
  /** above 0 */ temperature: number
  seed: number
}

/**
 * Chooses the next token of prompt `b` of a call from its logits (V), which are its own; what it throws ends the call.
 * Awaited, so that several models can take turns.
 */
export type ChooseToken = (logits: Float32Array, b: number) => number | Promise<number>

export interface GenerateOptions {
  maxNewTokens: number
  endTokens: readonly number[]
  /** absent: greedy */ sampling?: Sampling | undefined
  /** in place of `sampling`: chooses on the host, for one reading of V logits a step */
  choose?: ChooseToken | undefined
  signal?: AbortSignal | undefined
}

/**
 * New token ids of each prompt, the end token included when one came. `request-invalid` for a temperature that is
 * not above 0.
 */
export async function generate(
  model: DeviceModel,
  prompts: readonly ArrayLike<number>[],
  options: GenerateOptions,
): Promise<number[][]> {
  const { gpu, config } = model
  const B = prompts.length
  const { sampling, choose } = options
  if (sampling && !(sampling.temperature > 0 && Number.isFinite(sampling.temperature)))
    throw new EngineError('request-invalid', `temperature ${sampling.temperature}: expected above 0`)
  if (B === 0) return []
  const longest = Math.max(...prompts.map((p) => p.length))
  const capacity = longest + options.maxNewTokens
  const width = 2 * config.kvHeadCount * config.headSize
  const layers = Array.from({ length: config.layerCount }, () => scratch(gpu, B * capacity * width))
  const ends = new Set(options.endTokens)
  const answers: number[][] = prompts.map(() => [])
  const isOpen = prompts.map(() => true)
  const token = scratch(gpu, B)
  const next = (stream: GPUBuffer, rows: GPUBuffer, firstRow: number): HeadRows | undefined => {
    if (choose) return headLogits(model, stream, rows, B)
    pick(model, stream, rows, B, token, sampling, firstRow)
    return undefined
  }
  try {
    const batch = new Batch(
      gpu,
      config,
      prompts.map((ids) => ({ ids })),
    )
    const rows = new Uint32Array(batch.tokenCount)
    for (let b = 0; b < B; b++)
      for (let t = batch.starts[b]; t < batch.starts[b + 1]; t++) rows[t] = b * capacity + t - batch.starts[b]
    const last = Uint32Array.from({ length: B }, (_, b) => batch.starts[b + 1] - 1)
    const prefill = forward(model, batch, {
      keep: false,
      cache: { layers, rows: batch.upload(rows), isReading: false },
    })
    let head = next(prefill.stream, batch.upload(last), 0)
    prefill.release()
    batch.release()
    for (let step = 0; ; step++) {
      const ids =
        head && choose
          ? await chooseOnHost(model, head, isOpen, token, choose)
          : await gpu.readWords(token, B)
      for (let b = 0; b < B; b++) {
        if (!isOpen[b]) continue
        answers[b].push(ids[b])
        if (ends.has(ids[b])) isOpen[b] = false
      }
      throwIfCancelled(options.signal)
      if (step + 1 >= options.maxNewTokens || !isOpen.includes(true)) return answers
      head = decodeStep(model, prompts, step, capacity, layers, token, next)
    }
  } finally {
    gpu.pool.release(token, ...layers)
  }
}

/** Reads the logits, asks for the token of every open row, and writes them where the next step looks. */
async function chooseOnHost(
  model: DeviceModel,
  head: HeadRows,
  isOpen: readonly boolean[],
  token: GPUBuffer,
  choose: ChooseToken,
): Promise<Uint32Array> {
  const { gpu, config } = model
  const stride = logitStride(model)
  let logits: Float32Array
  try {
    logits = await gpu.readFloats(head.logits, isOpen.length * stride)
  } finally {
    releaseHead(model, head)
  }
  const ids = new Uint32Array(isOpen.length)
  for (const [b, isAsked] of isOpen.entries())
    if (isAsked) ids[b] = await choose(logits.subarray(b * stride, b * stride + config.vocabSize), b)
  gpu.write(token, ids)
  return ids
}

/** Encodes one step: every sequence's newest token through the cache, then `next` on the stream that comes out. */
function decodeStep(
  model: DeviceModel,
  prompts: readonly ArrayLike<number>[],
  step: number,
  capacity: number,
  layers: GPUBuffer[],
  token: GPUBuffer,
  next: (stream: GPUBuffer, rows: GPUBuffer, firstRow: number) => HeadRows | undefined,
): HeadRows | undefined {
  const { gpu, config } = model
  const B = prompts.length
  const owned: GPUBuffer[] = []
  const upload = (data: Uint32Array | Float32Array) => {
    const buffer = gpu.pool.take(data.byteLength)
    gpu.write(buffer, data)
    owned.push(buffer)
    return buffer
  }
  const positions = Uint32Array.from(prompts, (p) => p.length + step)
  const { cos, sin } = rotaryTables(
    config.rotary,
    positions,
    positions.map((p) => p + 1),
  )
  const bounds = new Map<number | undefined, ReturnType<TokenContext['attention']>>()
  const context: TokenContext = {
    tokenCount: B,
    ids: token,
    cosines: upload(cos),
    sines: upload(sin),
    attention(window) {
      const known = bounds.get(window)
      if (known) return known
      const starts = positions.map(
        (p, b) => b * capacity + Math.max(0, window === undefined ? 0 : p - window + 1),
      )
      const ends = positions.map((p, b) => b * capacity + p + 1)
      const made = {
        keyStart: upload(starts),
        keyEnd: upload(ends),
        maxKeys: Math.max(...ends.map((end, b) => end - starts[b])),
      }
      bounds.set(window, made)
      return made
    },
  }
  const cache: KeyValueCache = {
    layers,
    rows: upload(positions.map((p, b) => b * capacity + p)),
    isReading: true,
  }
  const pass = forward(model, context, { keep: false, cache })
  const rows = upload(Uint32Array.from({ length: B }, (_, b) => b))
  const head = next(pass.stream, rows, (step + 1) * B)
  pass.release()
  gpu.pool.release(...owned)
  return head
}

/** Greedy or sampled token of each of the R rows of the stream; `firstRow` numbers them for the generator. */
function pick(
  model: DeviceModel,
  stream: GPUBuffer,
  rows: GPUBuffer,
  R: number,
  token: GPUBuffer,
  sampling: Sampling | undefined,
  firstRow: number,
): void {
  const { gpu } = model
  const head = headLogits(model, stream, rows, R)
  const stride = logitStride(model)
  const params = { R, V: model.config.vocabSize, stride }
  if (sampling) {
    const logits = scratch(gpu, R * stride)
    gpu.run(
      damp,
      { count: R * stride, scale: 1 / sampling.temperature, shift: 0 },
      { fisher: head.logits, out: logits },
    )
    gpu.run(pickToken, { ...params, noise: 1, seed: sampling.seed >>> 0, firstRow }, { logits, token })
    gpu.pool.release(logits)
  } else gpu.run(pickToken, { ...params, noise: 0, seed: 0, firstRow: 0 }, { logits: head.logits, token })
  releaseHead(model, head)
}
