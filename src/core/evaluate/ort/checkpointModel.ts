// A user's ONNX decoder in onnxruntime-web: logits, losses, hidden states and generation with its key-value cache kept
// on the device under WebGPU, or by the wasm provider. The graph is the user's, so what it computes is its own
// business; here it is fed and read. Sequences of one length share a run, because exports differ in how they pad.

import { EngineError, throwIfCancelled } from '../../errors.ts'
import type { OnnxCheckpoint } from '../../files/formats/onnx/openOnnx.ts'
import type { ModelConfig } from '../../model/config.ts'
import type { ForwardGenerateOptions, ForwardModel, ForwardSequence, HiddenSpan } from '../forwardModel.ts'
import { branchInput } from './branchGraph.ts'
import type { CheckpointGraph } from './checkpointGraph.ts'
import { type OrtCheckpointOptions, openSession } from './checkpointSession.ts'
import {
  argmax,
  boolean,
  type Cache,
  crossEntropy,
  disposeAll,
  groupByLength,
  toFloats,
} from './checkpointTensors.ts'
import { inLine, type OrtModule, type OrtSession, type OrtTensor, onDevice, onHost } from './ortSession.ts'
import { checkSampling, sampleToken } from './sampling.ts'

export class OrtCheckpointModel implements ForwardModel {
  readonly kind = 'forward'
  readonly config: ModelConfig
  readonly provider: 'webgpu' | 'wasm'
  readonly #ort: OrtModule
  readonly #device: GPUDevice | undefined
  readonly #file: string
  readonly #graph: CheckpointGraph
  readonly #session: OrtSession
  /** numbers of s: r for each branch */
  readonly size: number
  readonly #rank: number
  #moved: Float32Array
  #isDisposed = false

  private constructor(
    ort: OrtModule,
    { device, branches }: OrtCheckpointOptions,
    checkpoint: OnnxCheckpoint,
    graph: CheckpointGraph,
    session: OrtSession,
  ) {
    this.#ort = ort
    this.#rank = branches?.rank ?? 0
    this.size = this.#rank * (branches?.factors.length ?? 0)
    this.#moved = new Float32Array(this.size)
    this.#device = device
    this.#file = checkpoint.path
    this.#graph = graph
    this.#session = session
    this.config = checkpoint.config
    this.provider = device ? 'webgpu' : 'wasm'
  }

  /**
   * A session over the checkpoint's files, which are read whole into onnxruntime's memory. `file-unsupported` for a
   * graph that is no decoder, `runtime-failed` or `gpu-failed` when onnxruntime refuses it.
   */
  static async open(
    ort: OrtModule,
    checkpoint: OnnxCheckpoint,
    options: OrtCheckpointOptions = {},
  ): Promise<OrtCheckpointModel> {
    const { graph, session } = await openSession(ort, checkpoint, options)
    return new OrtCheckpointModel(ort, options, checkpoint, graph, session)
  }

  /** Every later run is of W + U diag(s) V; `request-invalid` for another number than `size`. */
  move(s: ArrayLike<number>): void {
    if (s.length !== this.size)
      throw new EngineError('request-invalid', `${s.length} numbers for branches that take ${this.size}`)
    this.#moved = Float32Array.from(s)
  }

  /** Whether the residual streams can be read. */
  get hasHidden(): boolean {
    return this.#graph.streams.size > 0
  }

  /** Logits (T,V) of the sequence `ids` (T) from position 0. */
  async logits(ids: readonly number[], signal?: AbortSignal): Promise<Float32Array> {
    const [logits] = await this.#logitsOf([ids], signal)
    return logits
  }

  /** Residual stream (T,C) of `ids` (T) after each of the layers 1 … L. */
  async hiddenStates(ids: readonly number[], signal?: AbortSignal): Promise<Float32Array[]> {
    const layers = Array.from({ length: this.config.layerCount }, (_, l) => l + 1)
    const outputs = await this.#whole([ids], this.#streamNames(layers), signal)
    return this.#streamNames(layers).map((name) => toFloats(outputs[name]))
  }

  async poolHidden(
    spans: readonly HiddenSpan[],
    layers: readonly number[],
    signal?: AbortSignal,
  ): Promise<Float32Array> {
    const { hiddenSize: C } = this.config
    const names = this.#streamNames(layers)
    const width = names.length * C
    const pooled = new Float32Array(spans.length * width)
    for (const group of groupByLength(spans.map(({ ids }) => ids))) {
      const outputs = await this.#whole(
        group.map((s) => spans[s].ids),
        names,
        signal,
      )
      const T = spans[group[0]].ids.length
      names.forEach((name, l) => {
        const stream = toFloats(outputs[name])
        group.forEach((s, b) => {
          const { start, end } = spans[s]
          for (let c = 0; c < C; c++) {
            let sum = 0
            for (let t = start; t < end; t++) sum += stream[(b * T + t) * C + c]
            pooled[s * width + l * C + c] = sum / (end - start)
          }
        })
      })
    }
    return pooled
  }

  async targetLosses(sequences: readonly ForwardSequence[], signal?: AbortSignal): Promise<Float64Array[]> {
    const losses: Float64Array[] = sequences.map(() => new Float64Array(0))
    for (const group of groupByLength(sequences.map(({ ids }) => ids))) {
      const logits = await this.#logitsOf(
        group.map((s) => sequences[s].ids),
        signal,
      )
      group.forEach((s, b) => {
        const { ids, firstTarget = ids.length } = sequences[s]
        const V = logits[b].length / ids.length
        losses[s] = Float64Array.from({ length: ids.length - firstTarget }, (_, i) => {
          const at = firstTarget + i
          return crossEntropy(logits[b].subarray((at - 1) * V, at * V), ids[at])
        })
      })
    }
    return losses
  }

  /** As the interface has it; `request-invalid` for an empty prompt or an unknown token. */
  async generate(
    prompts: readonly ArrayLike<number>[],
    options: ForwardGenerateOptions,
  ): Promise<number[][]> {
    if (options.sampling) checkSampling(options.sampling)
    const answers: number[][] = prompts.map(() => [])
    if (options.maxNewTokens < 1) return answers
    if (this.#graph.cache.length === 0)
      throw new EngineError('file-unsupported', 'the graph has no key-value cache', { file: this.#file })
    for (const group of groupByLength(prompts)) await this.#answer(prompts, group, options, answers)
    return answers
  }

  /** Frees the session; the device stays. */
  async dispose(): Promise<void> {
    if (this.#isDisposed) return
    this.#isDisposed = true
    await inLine(() => this.#session.release())
  }

  /** Prefill and decoding of prompts of one length. */
  async #answer(
    prompts: readonly ArrayLike<number>[],
    group: readonly number[],
    { maxNewTokens, endTokens, sampling, choose, signal }: ForwardGenerateOptions,
    answers: number[][],
  ): Promise<void> {
    const isOpen = group.map(() => true)
    const names = ['logits', ...this.#graph.cache.map(({ present }) => present)]
    let cache = this.#emptyCache(group.length)
    let next: ArrayLike<number>[] = group.map((i) => prompts[i])
    let past = 0
    try {
      for (let step = 0; ; step++) {
        throwIfCancelled(signal)
        const outputs = await this.#run(next, past, cache, names)
        past += next[0].length
        disposeAll(cache)
        cache = Object.fromEntries(this.#graph.cache.map((slot) => [slot.past, outputs[slot.present]]))
        const rows = this.#rows(outputs.logits, group.length)
        const V = this.#vocabulary(outputs.logits)
        const tokens: number[] = []
        for (const [b, row] of rows.entries()) {
          const own = row.subarray(row.length - V)
          if (choose) tokens.push(isOpen[b] ? await choose(own, group[b]) : 0)
          else
            tokens.push(sampling ? sampleToken(own, sampling, step * prompts.length + group[b]) : argmax(own))
        }
        tokens.forEach((token, b) => {
          if (!isOpen[b]) return
          answers[group[b]].push(token)
          if (endTokens.includes(token)) isOpen[b] = false
        })
        if (step + 1 >= maxNewTokens || !isOpen.includes(true)) return
        next = tokens.map((token) => [token])
      }
    } finally {
      disposeAll(cache)
    }
  }

  #streamNames(layers: readonly number[]): string[] {
    return layers.map((layer) => {
      const name = this.#graph.streams.get(layer)
      if (name === undefined)
        throw new EngineError(
          'file-unsupported',
          `the graph hides the residual stream after layer ${layer}`,
          {
            file: this.#file,
          },
        )
      return name
    })
  }

  /** Logits (T,V) of sequences of one length. */
  async #logitsOf(sequences: readonly ArrayLike<number>[], signal?: AbortSignal): Promise<Float32Array[]> {
    const outputs = await this.#whole(sequences, ['logits'], signal)
    const rows = this.#rows(outputs.logits, sequences.length)
    const V = this.#vocabulary(outputs.logits)
    if (rows[0].length !== sequences[0].length * V)
      throw new EngineError('file-unsupported', 'the graph gives logits of the last token alone', {
        file: this.#file,
      })
    return rows
  }

  /** Logits of each sequence (…,V). */
  #rows(logits: OrtTensor, count: number): Float32Array[] {
    const values = toFloats(logits)
    const size = values.length / count
    return Array.from({ length: count }, (_, b) => values.subarray(b * size, (b + 1) * size))
  }

  #vocabulary({ dims }: OrtTensor): number {
    const V = dims.at(-1) ?? 0
    if (dims.length !== 3 || V < 1)
      throw new EngineError('shape-mismatch', `logits: expected batch × tokens × vocabulary, found ${dims}`, {
        file: this.#file,
      })
    return V
  }

  /** A run from position 0 whose cache is not kept. */
  async #whole(
    sequences: readonly ArrayLike<number>[],
    names: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<Record<string, OrtTensor>> {
    throwIfCancelled(signal)
    return this.#run(sequences, 0, this.#emptyCache(sequences.length), names)
  }

  async #run(
    sequences: readonly ArrayLike<number>[],
    past: number,
    cache: Cache,
    names: readonly string[],
  ): Promise<Record<string, OrtTensor>> {
    if (this.#isDisposed) throw new EngineError('request-invalid', 'the onnxruntime model was disposed')
    const B = sequences.length
    const T = sequences[0].length
    for (const ids of sequences) this.#requireTokens(ids)
    const { hasMask, hasPositions, cacheBranch, logitRows } = this.#graph
    const feeds: Record<string, OrtTensor> = {
      ...cache,
      input_ids: this.#integers(
        sequences.flatMap((ids) => Array.from(ids)),
        [B, T],
      ),
    }
    if (hasMask) feeds.attention_mask = this.#integers(new Array(B * (past + T)).fill(1), [B, past + T])
    if (hasPositions) {
      const positions = Array.from({ length: B * T }, (_, i) => past + (i % T))
      feeds.position_ids = this.#integers(positions, [B, T])
    }
    if (cacheBranch) feeds[cacheBranch] = boolean(this.#ort, past > 0)
    if (logitRows) feeds[logitRows] = new this.#ort.Tensor('int64', BigInt64Array.of(0n), [])
    for (let i = 0; i * this.#rank < this.size; i++) {
      const own = this.#moved.slice(i * this.#rank, (i + 1) * this.#rank)
      feeds[branchInput(i)] = new this.#ort.Tensor('float32', own, [this.#rank])
    }
    const run = () => this.#session.run(feeds, names)
    const device = this.#device
    return inLine(() => (device ? onDevice(device, run) : onHost(run)))
  }

  #integers(values: readonly number[], dims: readonly number[]): OrtTensor {
    const { Tensor } = this.#ort
    return this.#graph.integer === 'int32'
      ? new Tensor('int32', Int32Array.from(values), dims)
      : new Tensor('int64', BigInt64Array.from(values, BigInt), dims)
  }

  /** Without elements, and therefore on the host: onnxruntime takes such tensors from nowhere else. */
  #emptyCache(B: number): Cache {
    const { Tensor } = this.#ort
    return Object.fromEntries(
      this.#graph.cache.map(({ past, type, heads, size }) => {
        const dims = [B, heads, 0, size]
        return [
          past,
          type === 'float16'
            ? new Tensor('float16', new Uint16Array(0), dims)
            : new Tensor('float32', new Float32Array(0), dims),
        ]
      }),
    )
  }

  #requireTokens(ids: ArrayLike<number>): void {
    const { vocabSize: V } = this.config
    if (ids.length === 0) throw new EngineError('request-invalid', 'expected at least one token, found none')
    for (let t = 0; t < ids.length; t++) {
      const id = ids[t]
      // onnxruntime does not check: it would read another row, or none.
      if (!(Number.isInteger(id) && id >= 0 && id < V))
        throw new EngineError('request-invalid', `token ${id} at position ${t}: expected 0 to ${V - 1}`)
    }
  }
}
