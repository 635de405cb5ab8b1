// A decoder in onnxruntime-web that answers: logits, hidden states and generation with the cache kept on the device.
// On WebGPU the weights stay in the caller's buffers and are bound with each run, so another merge needs no new
// session; on the CPU (wasm) they are handed over once, when the session is made.

import { EngineError, throwIfCancelled } from '../../errors.ts'
import type { ModelConfig } from '../../model/config.ts'
import type { ForwardGenerateOptions, ForwardModel, ForwardSequence, HiddenSpan } from '../forwardModel.ts'
import { type Cache, PRECISION_BYTES, RunFeeds, toFloats, toTokens } from './generationFeeds.ts'
import {
  type AttentionForm,
  buildGenerationGraph,
  fusedObstacle,
  type GenerationGraph,
  type Precision,
} from './generationGraph.ts'
import type { RunShape } from './generationInputs.ts'
import {
  countElements,
  inLine,
  NO_FALLBACK,
  type OrtModule,
  type OrtSession,
  type OrtTensor,
  onDevice,
  onHost,
  requireBinding,
} from './ortSession.ts'
import { checkSampling, chooseRows, type Sampling, sampleRows } from './sampling.ts'
import {
  arrange,
  batchesOf,
  groupPrompts,
  lossOf,
  meanRows,
  requireRoom,
  requireSize,
  requireTokens,
} from './sideBySide.ts'

/** A tensor whole and alone in its buffer from byte 0, in the session's precision; usage STORAGE | COPY_SRC | COPY_DST. */
export type GpuWeights = (name: string) => GPUBuffer

export interface OrtModelOptions {
  /** default f32; f16 needs a device with shader-f16 */ precision?: Precision
  /** default: explicit on a device, fused on the CPU where the config allows it */
  attention?: AttentionForm
  /** needed by `hiddenStates`; default false */ hasHidden?: boolean
}

export interface OrtGenerateOptions {
  maxNewTokens: number
  endTokens: readonly number[]
  /** absent: greedy */ sampling?: Sampling | undefined
  /** in place of `sampling` */ choose?: ForwardGenerateOptions['choose']
  signal?: AbortSignal | undefined
  /** each new token of each prompt as it comes, the end token included */
  onToken?: ((prompt: number, token: number) => void) | undefined
}

export class OrtModel implements ForwardModel {
  readonly kind = 'forward'
  readonly config: ModelConfig
  readonly precision: Precision
  readonly attention: AttentionForm
  /** the provider that computes */ readonly provider: 'webgpu' | 'wasm'
  readonly #ort: OrtModule
  readonly #device: GPUDevice | undefined
  readonly #graph: GenerationGraph
  readonly #session: OrtSession
  readonly #hasHidden: boolean
  readonly #feeds: RunFeeds
  #weights: Record<string, OrtTensor> | undefined
  #isLost = false
  #isDisposed = false

  private constructor(
    ort: OrtModule,
    device: GPUDevice | undefined,
    config: ModelConfig,
    form: { precision: Precision; attention: AttentionForm; hasHidden: boolean },
    graph: GenerationGraph,
    session: OrtSession,
  ) {
    this.#ort = ort
    this.#device = device
    this.config = config
    this.precision = form.precision
    this.attention = form.attention
    this.provider = device ? 'webgpu' : 'wasm'
    this.#hasHidden = form.hasHidden
    this.#graph = graph
    this.#feeds = new RunFeeds(ort, device, config, form, graph.masks)
    this.#session = session
    void device?.lost.then(() => {
      this.#isLost = true
    })
  }

  /**
   * A session on `device`, which stays the caller's; `bind` gives it weights. `gpu-limit` names a weight that one
   * binding cannot hold or a missing feature; `gpu-failed` when onnxruntime refuses the graph; `device-lost`.
   */
  static async open(
    ort: OrtModule,
    device: GPUDevice,
    config: ModelConfig,
    options: OrtModelOptions = {},
  ): Promise<OrtModel> {
    const form = completeForm(options, 'explicit')
    if (form.precision === 'f16' && !device.features.has('shader-f16'))
      throw new EngineError('gpu-limit', 'float16 weights: the device has no shader-f16')
    const graph = buildGenerationGraph(config, { ...form, weights: 'fed' })
    for (const { name, shape } of graph.weights)
      requireBinding(device, PRECISION_BYTES[form.precision] * countElements(shape), `tensor ${name}`)
    const kept = Array.from({ length: config.layerCount }, (_, l) => [`present.k.${l}`, `present.v.${l}`])
    const create = () =>
      ort.InferenceSession.create(graph.bytes, {
        // `ort.env.webgpu.device` is ignored by 1.30: the provider option is the way to share a device.
        executionProviders: [{ name: 'webgpu', device }],
        graphOptimizationLevel: 'all',
        logSeverityLevel: 3,
        preferredOutputLocation: Object.fromEntries(kept.flat().map((name) => [name, 'gpu-buffer'])),
        extra: NO_FALLBACK,
      })
    const session = await inLine(() => onDevice(device, create))
    return new OrtModel(ort, device, config, form, graph, session)
  }

  /**
   * A session on the CPU with float32 weights, which are copied into onnxruntime's memory (4 GiB at most) and packed
   * there: several times as fast as feeding them with each run. `runtime-failed` when onnxruntime refuses,
   * `shape-mismatch` for a missing weight or one of another size.
   */
  static async openHost(
    ort: OrtModule,
    config: ModelConfig,
    weights: (name: string) => Float32Array | Promise<Float32Array>,
    options: Pick<OrtModelOptions, 'attention' | 'hasHidden'> = {},
  ): Promise<OrtModel> {
    const form = completeForm({ ...options, precision: 'f32' }, fusedObstacle(config) ? 'explicit' : 'fused')
    const graph = buildGenerationGraph(config, { ...form, weights: 'fixed' })
    const externalData: { path: string; data: Uint8Array }[] = []
    for (const spec of graph.weights) {
      const values = await weights(spec.name)
      requireSize(spec, 4, values.byteLength)
      const data = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
      externalData.push({ path: spec.name, data })
    }
    const create = () =>
      ort.InferenceSession.create(graph.bytes, {
        executionProviders: ['wasm'],
        graphOptimizationLevel: 'all',
        logSeverityLevel: 3,
        externalData,
      })
    const session = await inLine(() => onHost(create))
    const model = new OrtModel(ort, undefined, config, form, graph, session)
    model.#weights = {}
    return model
  }

  /**
   * The weights of all runs from now on; nothing is copied. Writes to them must have been submitted (`Gpu.flush`)
   * before a run, and need not be awaited. `shape-mismatch` for a buffer that is too short.
   */
  bind(weights: GpuWeights): void {
    if (!this.#device) throw new EngineError('request-invalid', 'a session on the CPU keeps its own weights')
    const bound: Record<string, OrtTensor> = {}
    for (const spec of this.#graph.weights) {
      const buffer = weights(spec.name)
      requireSize(spec, PRECISION_BYTES[this.precision], buffer.size, true)
      bound[spec.name] = this.#ort.Tensor.fromGpuBuffer(buffer, {
        dataType: this.precision === 'f16' ? 'float16' : 'float32',
        dims: spec.shape,
      })
    }
    this.#weights = bound
  }

  /** Logits (T,V) of the sequence `ids` (T) from position 0. */
  async logits(ids: readonly number[], signal?: AbortSignal): Promise<Float32Array> {
    const outputs = await this.#whole([ids], (start) => ids.map((_, t) => start + t), ['logits'], signal)
    return toFloats(outputs.outputs.logits)
  }

  /** Residual stream (T,C) of `ids` (T) after the embedding and after each of the L layers: L + 1 arrays. */
  async hiddenStates(ids: readonly number[], signal?: AbortSignal): Promise<Float32Array[]> {
    const names = this.#hiddenNames(Array.from({ length: this.config.layerCount + 1 }, (_, l) => l))
    const { outputs } = await this.#whole([ids], () => [0], names, signal)
    return names.map((name) => toFloats(outputs[name]))
  }

  async poolHidden(
    spans: readonly HiddenSpan[],
    layers: readonly number[],
    signal?: AbortSignal,
  ): Promise<Float32Array> {
    const { hiddenSize: C } = this.config
    const names = this.#hiddenNames(layers)
    const pooled = new Float32Array(spans.length * names.length * C)
    let done = 0
    for (const part of batchesOf(this.config.rotary, spans)) {
      const { outputs, starts } = await this.#whole(
        part.map(({ ids }) => ids),
        () => [0],
        names,
        signal,
      )
      names.forEach((name, l) => {
        const stream = toFloats(outputs[name])
        part.forEach(({ start, end }, b) => {
          const place = ((done + b) * names.length + l) * C
          meanRows(stream, starts[b] + start, starts[b] + end, pooled.subarray(place, place + C))
        })
      })
      done += part.length
    }
    return pooled
  }

  async targetLosses(sequences: readonly ForwardSequence[], signal?: AbortSignal): Promise<Float64Array[]> {
    const { vocabSize: V } = this.config
    const losses: Float64Array[] = []
    for (const part of batchesOf(this.config.rotary, sequences)) {
      const targets = part.map(({ ids, firstTarget = ids.length }) => Array.from(ids).slice(firstTarget))
      const rows = (start: number, b: number) =>
        targets[b].map((_, i) => start + (part[b].firstTarget ?? 0) - 1 + i)
      const { outputs } = await this.#whole(
        part.map(({ ids }) => ids),
        rows,
        ['logits'],
        signal,
      )
      const logits = toFloats(outputs.logits)
      let row = 0
      for (const own of targets)
        losses.push(Float64Array.from(own, (target) => lossOf(logits.subarray(row * V, ++row * V), target)))
    }
    return losses
  }

  /**
   * New token ids of each prompt, the end token included when one came. `request-invalid` for an empty prompt, an
   * unknown token or a sampling that is none; `cancelled`, `gpu-limit`, `gpu-failed`, `device-lost`.
   */
  async generate(prompts: readonly ArrayLike<number>[], options: OrtGenerateOptions): Promise<number[][]> {
    if (options.sampling) checkSampling(options.sampling)
    for (const prompt of prompts) requireTokens(this.config, prompt)
    if (prompts.length === 0 || options.maxNewTokens < 1) return prompts.map(() => [])
    this.#ready()
    const answers: number[][] = prompts.map(() => [])
    const groups = groupPrompts(this.config.rotary, this.attention, prompts, options.maxNewTokens)
    await this.#guarded(async () => {
      for (const group of groups) await this.#generateGroup(prompts, group, options, answers)
    })
    return answers
  }

  /** Frees the session and what it made; device and weights stay. */
  async dispose(): Promise<void> {
    if (this.#isDisposed) return
    this.#isDisposed = true
    await inLine(() => this.#session.release())
    this.#feeds.dispose()
  }

  async #generateGroup(
    prompts: readonly ArrayLike<number>[],
    group: readonly number[],
    { maxNewTokens, endTokens, sampling, choose, signal, onToken }: OrtGenerateOptions,
    answers: number[][],
  ): Promise<void> {
    const B = group.length
    const {
      ids,
      starts,
      shape: first,
    } = arrange(
      this.attention,
      group.map((i) => prompts[i]),
    )
    const { lengths } = first
    const isOpen = group.map(() => true)
    const wanted = sampling || choose ? 'logits' : 'token'
    const { vocabSize: V } = this.config
    const capacity = first.tokens + maxNewTokens
    let rows = Int32Array.from(starts, (start, b) => start + lengths[b] - 1)
    let cache = this.#feeds.emptyCache(B)
    let shape = first
    let next = ids
    try {
      for (let step = 0; ; step++) {
        throwIfCancelled(signal)
        const outputs = await this.#run(next, shape, rows, capacity, cache, [wanted], true)
        const tokens = choose
          ? await chooseRows(toFloats(outputs[wanted]), V, group, isOpen, choose)
          : sampling
            ? sampleRows(toFloats(outputs[wanted]), V, group, sampling, step * prompts.length)
            : toTokens(outputs[wanted])
        for (let b = 0; b < B; b++) {
          if (!isOpen[b]) continue
          answers[group[b]].push(tokens[b])
          onToken?.(group[b], tokens[b])
          if (endTokens.includes(tokens[b])) isOpen[b] = false
        }
        disposeAll(cache)
        cache = this.#presentOf(outputs)
        if (step + 1 >= maxNewTokens || !isOpen.includes(true)) return
        next = Int32Array.from(tokens)
        rows = Int32Array.from({ length: B }, (_, b) => b)
        const cached = shape.cached + shape.tokens
        shape = {
          sequences: B,
          tokens: 1,
          cached,
          lengths: Array.from(lengths, (length) => length + step + 1),
        }
      }
    } finally {
      disposeAll(cache)
    }
  }

  #hiddenNames(layers: readonly number[]): string[] {
    if (!this.#hasHidden)
      throw new EngineError('request-invalid', 'the session was opened without hidden states')
    return layers.map((l) => `hidden.${l}`)
  }

  /**
   * One run over whole sequences side by side, without keeping the cache. `rowsOf` names the token rows of sequence b,
   * which starts at row `start`, whose logits are wanted; `starts` of the result are those rows.
   */
  async #whole(
    sequences: readonly ArrayLike<number>[],
    rowsOf: (start: number, b: number) => number[],
    names: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<{ outputs: Record<string, OrtTensor>; starts: number[] }> {
    throwIfCancelled(signal)
    for (const ids of sequences) requireTokens(this.config, ids)
    this.#ready()
    const { ids, starts, shape } = arrange(this.attention, sequences)
    const rows = Int32Array.from(starts.flatMap(rowsOf))
    // A run without any row would give tensors without elements.
    if (rows.length === 0) throw new EngineError('request-invalid', 'no sequence has a target')
    const run = () =>
      this.#run(ids, shape, rows, shape.tokens, this.#feeds.emptyCache(sequences.length), names, false)
    return { outputs: await this.#guarded(run), starts }
  }

  async #run(
    ids: Int32Array,
    shape: RunShape,
    rows: Int32Array,
    needed: number,
    cache: Cache,
    names: readonly string[],
    isKept: boolean,
  ): Promise<Record<string, OrtTensor>> {
    if (this.#device) requireRoom(this.#device, this.config, this.precision, shape, rows.length)
    const feeds = { ...this.#weights, ...cache, ...this.#feeds.of(ids, shape, rows, needed) }
    const present = isKept ? Object.keys(cache).map((name) => name.replace('past', 'present')) : []
    if (this.#isLost) throw new EngineError('device-lost', 'the GPU device was lost')
    return inLine(() => this.#session.run(feeds, [...names, ...present]))
  }

  #presentOf(outputs: Record<string, OrtTensor>): Cache {
    const cache: Cache = {}
    for (const [name, tensor] of Object.entries(outputs))
      if (name.startsWith('present')) cache[name.replace('present', 'past')] = tensor
    return cache
  }

  #ready(): void {
    if (this.#isDisposed) throw new EngineError('request-invalid', 'the onnxruntime model was disposed')
    if (!this.#weights) throw new EngineError('request-invalid', 'the onnxruntime model has no weights yet')
  }

  #guarded<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#device ? onDevice(this.#device, work) : onHost(work)
  }
}

/**
 * `attention` unless the options name a form. On a device that is the explicit form: onnxruntime 1.30's WebGPU kernel of
 * GroupQueryAttention is wrong by a tenth from 32 new tokens on where subgroups are small (llvmpipe, SwiftShader), and says nothing.
 */
function completeForm(options: OrtModelOptions, attention: AttentionForm) {
  const { precision = 'f32', hasHidden = false } = options
  return { precision, hasHidden, attention: options.attention ?? attention }
}

function disposeAll(cache: Cache): void {
  for (const tensor of Object.values(cache)) tensor.dispose()
}
