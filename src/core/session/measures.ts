// The measures of one subject, in parts: AQI in two fixed views, behaviour with the view of its own answers,
// drift. Scales are frozen at the anchor and kept per (anchor, probes, seed).

import { type AqiView, answerItems, aqiItems, poolItems } from '../evaluate/aqiVectors.ts'
import { AqiScale, measureView, type ViewMeasurement } from '../evaluate/aqiViews.ts'
import { type Answered, type Behaviour, measureBehaviour } from '../evaluate/behaviour.ts'
import type { DeviceModel } from '../model/deviceModel.ts'
import { type MeasuredDrift, measureDrift } from './geometry.ts'
import type { JobOptions, Session, Setup } from './session.ts'

export type FixedView = Exclude<AqiView, 'answers'>

export class Measures {
  private readonly session: Session
  private readonly scales = new Map<string, Promise<AqiScale>>()

  constructor(session: Session) {
    this.session = session
  }

  /** The anchor's scale of a view; computed once. */
  private scale(
    anchor: string,
    view: FixedView,
    perClass: number,
    seed: number,
    options: JobOptions,
  ): Promise<AqiScale> {
    const key = JSON.stringify([anchor, view, perClass, seed])
    const known = this.scales.get(key)
    if (known) return known
    const { model, codec } = this.session.get(anchor)
    const made = (async () => {
      const items = aqiItems(codec, view, this.session.probes, { perClass, seed })
      return AqiScale.fit(view, await poolItems(model, items, { signal: options.signal }), seed)
    })()
    this.scales.set(key, made)
    // A cancelled or failed fit must not be remembered.
    made.catch(() => this.scales.delete(key))
    return made
  }

  /** AQI, budget and points of one fixed view. */
  async aqi(
    setup: Setup,
    view: FixedView,
    model: DeviceModel,
    perClass: number,
    options: JobOptions = {},
  ): Promise<ViewMeasurement> {
    const { codec } = this.session.get(setup.anchor)
    const scale = await this.scale(setup.anchor, view, perClass, setup.seed, options)
    const items = aqiItems(codec, view, this.session.probes, { perClass, seed: setup.seed })
    const vectors = await poolItems(model, items, {
      signal: options.signal,
      onProgress: (done, total) => options.onProgress?.(`AQI, ${view}`, done, total),
    })
    return measureView(scale, view, vectors, setup.seed)
  }

  /** Behaviour by greedy decoding, then AQI of the model's own answers; the answers themselves for labellers. */
  async behaviour(
    setup: Setup,
    model: DeviceModel,
    perClass: number,
    options: JobOptions & { onPart?: ((part: Partial<Behaviour>) => void) | undefined } = {},
  ): Promise<{ behaviour: Behaviour; answers: ViewMeasurement; answered: Answered[] }> {
    const { codec } = this.session.get(setup.anchor)
    const speaker = (await this.session.answerWith?.(model)) ?? model
    const { behaviour, answered } = await measureBehaviour(speaker, codec, this.session.probes, {
      perClass,
      seed: setup.seed,
      signal: options.signal,
      onProgress: (done, total) => options.onProgress?.('behaviour', done, total),
      onPart: options.onPart,
    })
    const scale = await this.scale(setup.anchor, 'completions', perClass, setup.seed, options)
    const vectors = await poolItems(model, answerItems(codec, answered), { signal: options.signal })
    return { behaviour, answers: measureView(scale, 'answers', vectors, setup.seed), answered }
  }

  /** Drift of a stored model in the setup's geometry. */
  async drift(setup: Setup, model: DeviceModel, options: JobOptions = {}): Promise<MeasuredDrift> {
    return measureDrift(await this.session.prepare(setup, options), model, setup.rank, options.signal)
  }

  /** Forgets the scales of a model that was closed. */
  forget(anchor: string): void {
    for (const key of this.scales.keys()) if (JSON.parse(key)[0] === anchor) this.scales.delete(key)
  }
}
