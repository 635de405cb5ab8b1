// The merge of each anchor, written where the last one stood. What lies in a slot is remembered, so that measuring
// one merge in several parts writes it once; AlignMerge's λ_align alone moves along a direction made once.

import { normaliseWeights } from '../merge/closedForm.ts'
import { mergeOnDevice } from '../merge/deviceMerge.ts'
import { methodOf } from '../merge/methods/registry.ts'
import { Slide } from '../merge/slide.ts'
import { DeviceModel } from '../model/deviceModel.ts'
import { type AlignMergeResult, alignMergeFull } from './alignMergeFull.ts'
import { alignOptionsOf } from './alignParameters.ts'
import { hasWeight, provideMaterial } from './material.ts'
import type { JobOptions, Session, Setup } from './session.ts'

/** How AlignMerge's rounds and search went. */
export type AlignReport = Omit<AlignMergeResult, 'model'>

interface Slot {
  model: DeviceModel
  /** what is written in it; undefined while it is being written or unknown */
  key: string | undefined
  report: AlignReport | undefined
}

/** AlignMerge in its plain form: one linearisation, equal w_i, so that all λ_align lie on one line. */
const isOnSlide = ({ method, parameters }: Setup): boolean =>
  method === 'alignmerge' && alignOptionsOf(parameters ?? {}) === undefined

export class MergeSlots {
  private readonly session: Session
  private readonly slots = new Map<string, Slot>()
  private slide: { key: string; value: Slide } | undefined

  constructor(session: Session) {
    this.session = session
  }

  /** Writes the merge of a setup into its anchor's slot, unless it lies there, and returns the model. */
  async merge(setup: Setup, options: JobOptions): Promise<DeviceModel> {
    const { session } = this
    session.check(setup)
    const anchor = session.get(setup.anchor).model
    let slot = this.slots.get(setup.anchor)
    if (!slot) {
      slot = {
        model: new DeviceModel(session.gpu, anchor.config, anchor.type),
        key: undefined,
        report: undefined,
      }
      this.slots.set(setup.anchor, slot)
    }
    const key = JSON.stringify(setup)
    if (slot.key === key) return slot.model
    slot.key = undefined
    slot.report = undefined
    await this.write(setup, slot, options)
    session.gpu.flush()
    session.gpu.check()
    slot.key = key
    return slot.model
  }

  /** What AlignMerge's rounds and search came to, for the merge that lies in the slot. */
  report(setup: Setup): AlignReport | undefined {
    const slot = this.slots.get(setup.anchor)
    return slot?.key === JSON.stringify(setup) ? slot.report : undefined
  }

  private async write(setup: Setup, slot: Slot, options: JobOptions): Promise<void> {
    const { session } = this
    const method = methodOf(setup.method)
    const anchor = session.get(setup.anchor).model
    const models = setup.experts.map(({ id }) => session.get(id).model)
    const weights = [...normaliseWeights(setup.experts.map(({ weight }) => weight))]
    if (isOnSlide(setup)) {
      const slide = await this.slideOf(setup, models, weights, options)
      slide.encode(setup.lambdaAlign, slot.model)
      return
    }
    if (setup.method === 'alignmerge') {
      const given = alignOptionsOf(setup.parameters ?? {})
      const { model: _, ...report } = await alignMergeFull(session, setup, given, {
        ...options,
        out: slot.model,
      })
      slot.report = report
      return
    }
    const provided = await provideMaterial(session, setup, method.declaration.material, weights, options)
    try {
      await mergeOnDevice(
        method,
        {
          base: anchor,
          models,
          parameters: setup.parameters ?? {},
          modelParameters: weights.map((weight) => (hasWeight(method) ? { weight } : {})),
          seed: setup.seed,
          ...provided,
          signal: options.signal,
          onProgress: (done, total) => options.onProgress?.('merging', done, total),
        },
        slot.model,
      )
    } finally {
      provided.release()
    }
  }

  /** δ̄ and direction of a setup, made once for all λ_align. */
  private async slideOf(
    setup: Setup,
    models: readonly DeviceModel[],
    weights: readonly number[],
    options: JobOptions,
  ): Promise<Slide> {
    const { lambdaAlign: _, ...rest } = setup
    const key = JSON.stringify(rest)
    if (this.slide?.key === key) return this.slide.value
    const hard = { ...setup, lambdaAlign: Number.POSITIVE_INFINITY }
    const provided = await provideMaterial(this.session, hard, ['shield'], weights, options)
    try {
      this.dropSlide()
      const anchor = this.session.get(setup.anchor).model
      this.slide = { key, value: new Slide(anchor, models, weights, provided.shield) }
      return this.slide.value
    } finally {
      provided.release()
    }
  }

  private dropSlide(): void {
    this.slide?.value.dispose()
    this.slide = undefined
  }

  /** Forgets what was made from a model whose Fisher diagonal or rows are other ones now. */
  forget(id: string): void {
    for (const slot of this.slots.values()) if (slot.key?.includes(id)) slot.key = undefined
    if (this.slide?.key.includes(id)) this.dropSlide()
  }

  /** Frees what was made from a model that is closed. */
  close(id: string): void {
    this.slots.get(id)?.model.dispose()
    this.slots.delete(id)
    this.forget(id)
  }

  dispose(): void {
    for (const id of [...this.slots.keys()]) this.close(id)
    this.dropSlide()
  }
}
