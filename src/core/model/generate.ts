// Greedy decoding of many prompts at once with a key-value cache on the device. One token per sequence and
// step; a sequence stops at an end token or after `maxNewTokens`.

import { throwIfCancelled } from '../errors.ts'
import { pickToken } from '../kernels/pickToken/pickToken.ts'
import { Batch } from './batch.ts'
import type { DeviceModel } from './deviceModel.ts'
import { forward, type KeyValueCache, type TokenContext } from './forward.ts'
import { headLogits, logitStride, releaseHead } from './head.ts'
import { scratch } from './linear.ts'
import { rotaryTables } from './rotary.ts'

export interface GenerateOptions {
  maxNewTokens: number
  endTokens: readonly number[]
  signal?: AbortSignal | undefined
}

/** New token ids of each prompt, the end token included when one came. */
export async function generate(
  model: DeviceModel,
  prompts: readonly ArrayLike<number>[],
  options: GenerateOptions,
): Promise<number[][]> {
  const { gpu, config } = model
  const B = prompts.length
  if (B === 0) return []
  const longest = Math.max(...prompts.map((p) => p.length))
  const capacity = longest + options.maxNewTokens
  const width = 2 * config.kvHeadCount * config.headSize
  const layers = Array.from({ length: config.layerCount }, () => scratch(gpu, B * capacity * width))
  const ends = new Set(options.endTokens)
  const answers: number[][] = prompts.map(() => [])
  const isOpen = prompts.map(() => true)
  const token = scratch(gpu, B)
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
    pick(model, prefill.stream, batch.upload(last), B, token)
    prefill.release()
    batch.release()
    for (let step = 0; ; step++) {
      const ids = await gpu.readWords(token, B)
      for (let b = 0; b < B; b++) {
        if (!isOpen[b]) continue
        answers[b].push(ids[b])
        if (ends.has(ids[b])) isOpen[b] = false
      }
      throwIfCancelled(options.signal)
      if (step + 1 >= options.maxNewTokens || !isOpen.includes(true)) return answers
      decodeStep(model, prompts, step, capacity, layers, token)
    }
  } finally {
    gpu.pool.release(token, ...layers)
  }
}

/** Encodes one step: every sequence's newest token through the cache, the next token into `token`. */
function decodeStep(
  model: DeviceModel,
  prompts: readonly ArrayLike<number>[],
  step: number,
  capacity: number,
  layers: GPUBuffer[],
  token: GPUBuffer,
): void {
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
  pick(model, pass.stream, upload(Uint32Array.from({ length: B }, (_, b) => b)), B, token)
  pass.release()
  gpu.pool.release(...owned)
}

/** Greedy token of each of the R rows of the stream. */
function pick(model: DeviceModel, stream: GPUBuffer, rows: GPUBuffer, R: number, token: GPUBuffer): void {
  const head = headLogits(model, stream, rows, R)
  model.gpu.run(
    pickToken,
    { R, V: model.config.vocabSize, stride: logitStride(model), noise: 0, seed: 0, firstRow: 0 },
    { logits: head.logits, token },
  )
  releaseHead(model, head)
}
