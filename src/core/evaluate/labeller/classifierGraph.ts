// The graph of a text classifier in onnxruntime: which inputs it takes, and logits of batches of token ids.

import { EngineError } from '../../errors.ts'
import { messageOf } from '../../files/source.ts'
import type { ClassifierFiles } from './classifierFolder.ts'

/** The part of onnxruntime-web that is used here; ortNode.ts and ort/ortBrowser.ts load the real one. */
export interface ClassifierModule {
  Tensor: { new (type: 'int64', data: BigInt64Array, dims: readonly number[]): ClassifierTensor }
  InferenceSession: {
    create(
      model: Uint8Array,
      options: { executionProviders: 'wasm'[]; logSeverityLevel: 0 | 1 | 2 | 3 | 4 },
    ): Promise<ClassifierSession>
  }
}
export interface ClassifierTensor {
  readonly dims: readonly number[]
  readonly data: unknown
}
export interface ClassifierSession {
  readonly inputNames: readonly string[]
  readonly outputNames: readonly string[]
  readonly inputMetadata: readonly {
    isTensor: boolean
    type?: string
    shape?: readonly (number | string)[]
  }[]
  run(feeds: Record<string, ClassifierTensor>): Promise<Record<string, ClassifierTensor>>
  release(): Promise<void>
}

/** A sequence with its special tokens. */
export interface Encoded {
  ids: number[]
  /** segment of each token, 0 or 1 */ types: number[]
}

const INPUTS = ['input_ids', 'attention_mask', 'token_type_ids'] as const
const MAX_BATCH = 32
/** Tokens of a batch with its padding; keeps activations of a large classifier within some 100 MB. */
const MAX_BATCH_TOKENS = 4096

/** The session, with what its graph asks for. */
export class ClassifierGraph {
  readonly #ort: ClassifierModule
  readonly #session: ClassifierSession
  readonly #file: string
  readonly #padToken: number
  readonly #fixedBatch: number | undefined
  /** T where the graph has a fixed one */ readonly fixedTokens: number | undefined

  private constructor(ort: ClassifierModule, session: ClassifierSession, files: ClassifierFiles) {
    this.#ort = ort
    this.#session = session
    this.#file = files.modelPath
    this.#padToken = files.padToken
    const [batch, tokens] = session.inputMetadata[0]?.shape ?? []
    this.#fixedBatch = typeof batch === 'number' && batch > 0 ? batch : undefined
    this.fixedTokens = typeof tokens === 'number' && tokens > 0 ? tokens : undefined
  }

  static async open(ort: ClassifierModule, files: ClassifierFiles): Promise<ClassifierGraph> {
    const place = { file: files.modelPath }
    let session: ClassifierSession
    try {
      session = await ort.InferenceSession.create(files.model, {
        executionProviders: ['wasm'],
        logSeverityLevel: 3,
      })
    } catch (error) {
      throw new EngineError(
        'file-unsupported',
        `onnxruntime cannot open the graph: ${messageOf(error)}`,
        place,
      )
    }
    const names = session.inputNames
    const strange = names.find((name) => !INPUTS.some((known) => known === name))
    const type = session.inputMetadata.find((input) => input.type !== 'int64')?.type
    const problem = !names.includes('input_ids')
      ? `inputs: expected input_ids, found ${names.join(', ')}`
      : strange !== undefined
        ? `inputs: expected ${INPUTS.join(', ')}, found ${strange}`
        : type !== undefined
          ? `inputs: expected int64, found ${type}`
          : !session.outputNames.includes('logits') && session.outputNames.length !== 1
            ? `outputs: expected logits, found ${session.outputNames.join(', ')}`
            : undefined
    if (problem !== undefined) {
      await session.release()
      throw new EngineError('file-unsupported', problem, place)
    }
    return new ClassifierGraph(ort, session, files)
  }

  /** Entries from `start` that one run takes; lengths ascend. */
  takeBatch<Key>(waiting: readonly (readonly [Key, Encoded])[], start: number): (readonly [Key, Encoded])[] {
    const most = this.#fixedBatch ?? MAX_BATCH
    const batch: (readonly [Key, Encoded])[] = []
    for (const entry of waiting.slice(start, start + most)) {
      if (batch.length > 0 && (batch.length + 1) * entry[1].ids.length > MAX_BATCH_TOKENS) break
      batch.push(entry)
    }
    return batch
  }

  /** Logits of each sequence, (L) each. */
  async run(batch: readonly Encoded[]): Promise<number[][]> {
    const rows = this.#fixedBatch ?? batch.length
    const columns = this.fixedTokens ?? Math.max(...batch.map(({ ids }) => ids.length))
    const fill = (pick: (encoded: Encoded, t: number) => number, padding: number) => {
      const data = new BigInt64Array(rows * columns).fill(BigInt(padding))
      batch.forEach((encoded, row) => {
        for (let t = 0; t < encoded.ids.length; t++) data[row * columns + t] = BigInt(pick(encoded, t))
      })
      return new this.#ort.Tensor('int64', data, [rows, columns])
    }
    const all: Record<(typeof INPUTS)[number], () => ClassifierTensor> = {
      input_ids: () => fill(({ ids }, t) => ids[t], this.#padToken),
      attention_mask: () => fill(() => 1, 0),
      token_type_ids: () => fill(({ types }, t) => types[t], 0),
    }
    const feeds: Record<string, ClassifierTensor> = {}
    for (const name of INPUTS) if (this.#session.inputNames.includes(name)) feeds[name] = all[name]()
    const place = { file: this.#file }
    let outputs: Record<string, ClassifierTensor>
    try {
      outputs = await this.#session.run(feeds)
    } catch (error) {
      throw new EngineError(
        'file-unsupported',
        `onnxruntime cannot run the graph on ${rows} × ${columns} tokens: ${messageOf(error)}`,
        place,
      )
    }
    const { dims, data } = outputs.logits ?? outputs[this.#session.outputNames[0]]
    if (!(data instanceof Float32Array))
      throw new EngineError('file-unsupported', 'logits: expected float32', place)
    if (dims.length !== 2 || dims[0] !== rows || dims[1] === 0)
      throw new EngineError(
        'shape-mismatch',
        `logits: expected ${rows} × classes, found ${dims.join(' × ')}`,
        place,
      )
    const width = dims[1]
    return batch.map((_, row) => Array.from(data.subarray(row * width, (row + 1) * width)))
  }

  release(): Promise<void> {
    return this.#session.release()
  }
}
