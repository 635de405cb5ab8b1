// Sequences of different lengths packed end to end, without padding. Everything that depends on positions is
// data: rotary angles per token, and per query the first and last key it may see. Causality and sliding
// windows therefore live here and in no kernel.

import { EngineError } from '../errors.ts'
import type { Gpu } from '../gpu/device.ts'
import type { ModelConfig } from './config.ts'
import { rotaryTables } from './rotary.ts'

export interface Sequence {
  ids: ArrayLike<number>
  /** targets are ids[firstTarget …], each predicted from the token before; ≥ 1. Absent: no targets */
  firstTarget?: number
}

/** Key bounds of every query, and query bounds of every key, for one window. */
export interface AttentionBounds {
  keyStart: GPUBuffer
  keyEnd: GPUBuffer
  queryStart: GPUBuffer
  queryEnd: GPUBuffer
  /** most keys that any query sees */
  maxKeys: number
}

export class Batch {
  readonly gpu: Gpu
  /** T, tokens of all sequences */
  readonly tokenCount: number
  /** S+1 bounds in tokens */
  readonly starts: Uint32Array
  /** R, target rows of all sequences; row r is token targetRows[r], its target targetIds[r] */
  readonly rowCount: number
  /** S+1 bounds in rows */
  readonly rowStarts: Uint32Array
  readonly hostIds: Uint32Array
  readonly hostTargetRows: Uint32Array
  readonly hostTargetIds: Uint32Array
  readonly ids: GPUBuffer
  readonly targetRows: GPUBuffer
  readonly targetIds: GPUBuffer
  readonly cosines: GPUBuffer
  readonly sines: GPUBuffer
  private readonly bounds = new Map<number | undefined, AttentionBounds>()
  private readonly owned: GPUBuffer[] = []

  constructor(gpu: Gpu, config: ModelConfig, sequences: readonly Sequence[]) {
    this.gpu = gpu
    const S = sequences.length
    this.starts = new Uint32Array(S + 1)
    this.rowStarts = new Uint32Array(S + 1)
    sequences.forEach(({ ids, firstTarget }, s) => {
      if (ids.length === 0) throw new EngineError('request-invalid', `sequence ${s} is empty`)
      if (firstTarget !== undefined && (firstTarget < 1 || firstTarget > ids.length))
        throw new EngineError(
          'request-invalid',
          `sequence ${s}: first target ${firstTarget} outside 1 … ${ids.length}`,
        )
      this.starts[s + 1] = this.starts[s] + ids.length
      this.rowStarts[s + 1] = this.rowStarts[s] + (firstTarget === undefined ? 0 : ids.length - firstTarget)
    })
    this.tokenCount = this.starts[S]
    this.rowCount = this.rowStarts[S]
    const ids = new Uint32Array(this.tokenCount)
    const positions = new Uint32Array(this.tokenCount)
    const lengths = new Uint32Array(this.tokenCount)
    this.hostTargetRows = new Uint32Array(this.rowCount)
    this.hostTargetIds = new Uint32Array(this.rowCount)
    sequences.forEach(({ ids: source, firstTarget }, s) => {
      for (let i = 0; i < source.length; i++) {
        const id = source[i]
        if (!(id >= 0 && id < config.vocabSize))
          throw new EngineError(
            'request-invalid',
            `token ${id} of sequence ${s} is outside the vocabulary of ${config.vocabSize}`,
          )
        ids[this.starts[s] + i] = id
        positions[this.starts[s] + i] = i
        lengths[this.starts[s] + i] = source.length
        if (firstTarget === undefined || i < firstTarget) continue
        const row = this.rowStarts[s] + i - firstTarget
        this.hostTargetRows[row] = this.starts[s] + i - 1
        this.hostTargetIds[row] = id
      }
    })
    this.hostIds = ids
    const { cos, sin } = rotaryTables(config.rotary, positions, lengths)
    this.ids = this.upload(ids)
    this.targetRows = this.upload(this.hostTargetRows)
    this.targetIds = this.upload(this.hostTargetIds)
    this.cosines = this.upload(cos)
    this.sines = this.upload(sin)
  }

  get sequenceCount(): number {
    return this.starts.length - 1
  }

  /** A pooled buffer with `data`, released with the batch. */
  upload(data: Uint32Array | Float32Array): GPUBuffer {
    const buffer = this.gpu.pool.take(Math.max(4, data.byteLength))
    this.gpu.write(buffer, data)
    this.owned.push(buffer)
    return buffer
  }

  /** Bounds for a window of `window` keys, the query's own included; undefined: all earlier keys. */
  attention(window: number | undefined): AttentionBounds {
    const known = this.bounds.get(window)
    if (known) return known
    const T = this.tokenCount
    const [keyStart, keyEnd, queryStart, queryEnd] = [0, 1, 2, 3].map(() => new Uint32Array(T))
    let maxKeys = 0
    for (let s = 0; s < this.sequenceCount; s++) {
      const [start, end] = [this.starts[s], this.starts[s + 1]]
      const reach = Math.min(window ?? end - start, end - start)
      for (let t = start; t < end; t++) {
        keyStart[t] = Math.max(start, t - reach + 1)
        keyEnd[t] = t + 1
        queryStart[t] = t
        queryEnd[t] = Math.min(end, t + reach)
      }
      maxKeys = Math.max(maxKeys, reach)
    }
    const bounds = {
      keyStart: this.upload(keyStart),
      keyEnd: this.upload(keyEnd),
      queryStart: this.upload(queryStart),
      queryEnd: this.upload(queryEnd),
      maxKeys,
    }
    this.bounds.set(window, bounds)
    return bounds
  }

  release(): void {
    this.gpu.pool.release(...this.owned.splice(0))
    this.bounds.clear()
  }
}
