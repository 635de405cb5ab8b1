// The measures of one subject, in parts: AQI in two fixed views, behaviour with the view of its own answers,
// drift. Scales are frozen at the anchor and kept per (anchor, probes, seed). Probes are the built-in ones, or the
// user's own where the setup names them; drift knows the built-in ones alone.

import { EngineError } from '../errors.ts'
import { type AqiView, answerItems, aqiItems, poolItems } from '../evaluate/aqiVectors.ts'
import { AqiScale, measureView, type ViewMeasurement } from '../evaluate/aqiViews.ts'
import {
  type Answered,
  type Behaviour,
  measureBehaviour,
  measureRefusals,
  type Refusals,
} from '../evaluate/behaviour.ts'
import type { ForwardModel } from '../evaluate/forwardModel.ts'
import type { ProbeFile } from '../evaluate/probes.ts'
import { hasRoom, measuringProbes, type UserProbeSet } from '../evaluate/userProbes.ts'
import type { Checkpoint } from '../files/checkpoint.ts'
import type { TextCodec } from '../files/tokenizer.ts'
import type { DeviceModel } from '../model/deviceModel.ts'
import { type MeasuredDrift, measureDrift } from './geometry.ts'
import type { JobOptions, Session, Setup } from './session.ts'

export type FixedView = Exclude<AqiView, 'answers'>

/** What of a setup decides AQI and behaviour of a model, whatever is merged. */
export type MeasuredOn = Pick<Setup, 'anchor' | 'seed' | 'probes'>

/** What measuring needs of a session, whether its models stand on a device or only run forward. */
export interface MeasuredSession<Model> {
  readonly probes: ProbeFile
  readonly userProbes: ReadonlyMap<string, UserProbeSet>
  answerWith?: ((model: Model) => Promise<ForwardModel>) | undefined
  get(id: string): { model: Model; codec: TextCodec; checkpoint: Checkpoint }
}

/** Measures that only run models forward: all but drift. */
export class ForwardMeasures<Model extends DeviceModel | ForwardModel> {
  private readonly session: MeasuredSession<Model>
  private readonly scales = new Map<string, Promise<AqiScale>>()
  private readonly own = new Map<string, ProbeFile>()

  constructor(session: MeasuredSession<Model>) {
    this.session = session
  }

  /** The anchor's scale of a view; computed once. */
  private scale(
    { anchor, seed, probes }: MeasuredOn,
    view: FixedView,
    perClass: number,
    options: JobOptions,
  ): Promise<AqiScale> {
    const key = JSON.stringify([anchor, view, perClass, seed, probes])
    const known = this.scales.get(key)
    if (known) return known
    const { model, codec } = this.session.get(anchor)
    const file = this.probesOf({ anchor, seed, probes }, perClass)
    const made = (async () => {
      const items = aqiItems(codec, view, file, { perClass, seed })
      return AqiScale.fit(view, await poolItems(model, items, { signal: options.signal }), seed)
    })()
    this.scales.set(key, made)
    // Every seed and number of probes has its own; the oldest is made again when somebody returns to it.
    if (this.scales.size > MAX_SCALES) this.scales.delete(this.scales.keys().next().value!)
    // A cancelled or failed fit must not be remembered.
    made.catch(() => this.scales.delete(key))
    return made
  }

  /**
   * What a setup is measured on, `perClass` of each class at most. `request-invalid` where the user's prompts are not
   * here, or leave a class empty.
   */
  probesOf(
    { anchor, seed, probes }: { anchor: string; seed: number; probes?: string | undefined },
    perClass: number,
  ): ProbeFile {
    if (probes === undefined) return this.session.probes
    const key = JSON.stringify([anchor, perClass, seed, probes])
    const known = this.own.get(key)
    if (known) return known
    const set = this.session.userProbes.get(probes)
    if (!set)
      throw new EngineError(
        'request-invalid',
        `the prompts with digest ${probes.slice(0, 12)}… are not open here: drop their file in the playground`,
      )
    const { codec, checkpoint } = this.session.get(anchor)
    const fits = (prompt: Parameters<typeof hasRoom>[2]) => hasRoom(codec, checkpoint.config, prompt)
    const made = measuringProbes(this.session.probes, set, { perClass, seed, fits })
    // A session sees few sets; more than these are not come back to.
    if (this.own.size >= 8) this.own.clear()
    this.own.set(key, made)
    return made
  }

  /** AQI, budget and points of one fixed view. */
  async aqi(
    setup: MeasuredOn,
    view: FixedView,
    model: Model,
    perClass: number,
    options: JobOptions = {},
  ): Promise<ViewMeasurement> {
    const { codec } = this.session.get(setup.anchor)
    const scale = await this.scale(setup, view, perClass, options)
    const items = aqiItems(codec, view, this.probesOf(setup, perClass), { perClass, seed: setup.seed })
    const vectors = await poolItems(model, items, {
      signal: options.signal,
      onProgress: (done, total) => options.onProgress?.(`AQI, ${view}`, done, total),
    })
    return measureView(scale, view, vectors, setup.seed)
  }

  /** Behaviour by greedy decoding, then AQI of the model's own answers; the answers themselves for labellers. */
  async behaviour(
    setup: Setup,
    model: Model,
    perClass: number,
    options: JobOptions & { onPart?: ((part: Partial<Behaviour>) => void) | undefined } = {},
  ): Promise<{ behaviour: Behaviour; answers: ViewMeasurement; answered: Answered[] }> {
    const { codec } = this.session.get(setup.anchor)
    const speaker = (await this.session.answerWith?.(model)) ?? model
    const { behaviour, answered } = await measureBehaviour(speaker, codec, this.probesOf(setup, perClass), {
      perClass,
      seed: setup.seed,
      signal: options.signal,
      onProgress: (done, total) => options.onProgress?.('behaviour', done, total),
      onPart: options.onPart,
    })
    const scale = await this.scale(setup, 'completions', perClass, options)
    const vectors = await poolItems(model, answerItems(codec, answered), { signal: options.signal })
    return { behaviour, answers: measureView(scale, 'answers', vectors, setup.seed), answered }
  }

  /** Refusals alone and AQI of the answers behind them: what a training is watched by. */
  async refusals(
    setup: MeasuredOn,
    model: Model,
    perClass: number,
    options: JobOptions = {},
  ): Promise<{ refusals: Refusals; answers: ViewMeasurement }> {
    const { codec } = this.session.get(setup.anchor)
    const { refusals, answered } = await measureRefusals(model, codec, this.probesOf(setup, perClass), {
      perClass,
      seed: setup.seed,
      signal: options.signal,
      onProgress: (done, total) => options.onProgress?.('refusals', done, total),
    })
    const scale = await this.scale(setup, 'completions', perClass, options)
    const vectors = await poolItems(model, answerItems(codec, answered), { signal: options.signal })
    return { refusals, answers: measureView(scale, 'answers', vectors, setup.seed) }
  }

  /** Forgets what was made with a model that was closed. */
  forget(anchor: string): void {
    for (const known of [this.scales, this.own])
      for (const key of known.keys()) if (JSON.parse(key)[0] === anchor) known.delete(key)
  }
}

const MAX_SCALES = 24

export class Measures extends ForwardMeasures<DeviceModel> {
  private readonly owner: Session

  constructor(session: Session) {
    super(session)
    this.owner = session
  }

  /** Drift of a stored model in the setup's geometry. */
  async drift(setup: Setup, model: DeviceModel, options: JobOptions = {}): Promise<MeasuredDrift> {
    return measureDrift(await this.owner.prepare(setup, options), model, setup.rank, options.signal)
  }
}
