// What methods that learn from data are given, computed once for each model and kept until the model is closed: Gram
// matrices, absolute gradients, and what each expert is for. One entry per model and purpose; another seed replaces it.

import { EngineError } from '../errors.ts'
import { destroyBuffers } from '../geometry/metric.ts'
import { destroyGrams, type InputGrams, inputGrams } from './materialGram.ts'
import { type AbsoluteGradients, absoluteGradients } from './materialImportance.ts'
import { inferPurpose, type Purpose, purposeSequences } from './purpose.ts'
import type { JobOptions, Session } from './session.ts'

/** Sequences of a Gram matrix, as in RegMean's public code; and of importance, as in LED-Merging's. */
export const GRAM_SEQUENCES = 256
export const IMPORTANCE_SEQUENCES = 128

interface Kept<T> {
  seed: number
  value: T
}

export class MaterialStore {
  private readonly session: Session
  /** by JSON of [model id, purpose] */
  private readonly grams = new Map<string, Kept<InputGrams>>()
  private readonly gradients = new Map<string, Kept<AbsoluteGradients>>()
  /** by JSON of [expert id, base id] */
  private readonly purposes = new Map<string, Kept<Purpose>>()

  constructor(session: Session) {
    this.session = session
  }

  /** Σ_t x xᵀ of the inputs of each linear layer of a model. */
  gram(id: string, purpose: Purpose, seed: number, options: JobOptions = {}): Promise<InputGrams> {
    const { model, codec } = this.session.get(id)
    return this.keep(
      this.grams,
      [id, purpose],
      seed,
      ({ sums }) => destroyGrams(model.gpu, sums),
      () =>
        inputGrams(model, purposeSequences(codec, this.session.probes, purpose, GRAM_SEQUENCES, seed), {
          signal: options.signal,
          onProgress: (done, total) => options.onProgress?.(`layer inputs of ${id}`, done, total),
        }),
    )
  }

  /** Σ_s |∂L_s/∂w| of a model. */
  absoluteGradients(
    id: string,
    purpose: Purpose,
    seed: number,
    options: JobOptions = {},
  ): Promise<AbsoluteGradients> {
    const { model, codec } = this.session.get(id)
    return this.keep(
      this.gradients,
      [id, purpose],
      seed,
      ({ sums }) => destroyBuffers(sums),
      () =>
        absoluteGradients(
          model,
          purposeSequences(codec, this.session.probes, purpose, IMPORTANCE_SEQUENCES, seed),
          {
            signal: options.signal,
            onProgress: (done, total) => options.onProgress?.(`importance of ${id}`, done, total),
          },
        ),
    )
  }

  /** What an expert is for, told by where its loss is below the base's. */
  purposeOf(id: string, base: string, seed: number, options: JobOptions = {}): Promise<Purpose> {
    const { model, codec } = this.session.get(id)
    return this.keep(
      this.purposes,
      [id, base],
      seed,
      () => undefined,
      () =>
        inferPurpose(this.session.get(base).model, model, codec, this.session.probes, seed, {
          signal: options.signal,
          onProgress: (done, total) => options.onProgress?.(`purpose of ${id}`, done, total),
        }),
    )
  }

  private async keep<T>(
    map: Map<string, Kept<T>>,
    names: [string, string],
    seed: number,
    free: (value: T) => void,
    make: () => Promise<T>,
  ): Promise<T> {
    const key = JSON.stringify(names)
    const known = map.get(key)
    if (known?.seed === seed) return known.value
    const { model } = this.session.get(names[0])
    const value = await make()
    // What another call has kept meanwhile, or what belongs to another seed.
    const replaced = map.get(key)
    if (replaced) free(replaced.value)
    if (this.session.models.get(names[0])?.model !== model) {
      map.delete(key)
      free(value)
      throw new EngineError('request-invalid', `model ${names[0]} was closed meanwhile`)
    }
    map.set(key, { seed, value })
    return value
  }

  /** Frees what belongs to a model that is closed. */
  drop(id: string): void {
    const { gpu } = this.session
    const isOf = (key: string) => (JSON.parse(key) as string[])[0] === id
    for (const [key, { value }] of this.grams)
      if (isOf(key)) {
        destroyGrams(gpu, value.sums)
        this.grams.delete(key)
      }
    for (const [key, { value }] of this.gradients)
      if (isOf(key)) {
        destroyBuffers(value.sums)
        this.gradients.delete(key)
      }
    // Either model may be another one when the id is used again.
    for (const key of this.purposes.keys())
      if ((JSON.parse(key) as string[]).includes(id)) this.purposes.delete(key)
  }
}
