// One engine session: models on a device, the merge slot, and everything computed once and used again. The
// worker, the command line and the result tables all drive this class, so a number has one way to come about.

import { EngineError, throwIfCancelled } from '../errors.ts'
import type { ForwardModel } from '../evaluate/forwardModel.ts'
import type { ProbeFile } from '../evaluate/probes.ts'
import { spearman } from '../evaluate/rank.ts'
import type { UserProbeSet } from '../evaluate/userProbes.ts'
import type { Checkpoint } from '../files/checkpoint.ts'
import { assertMergeable } from '../files/mergeable.ts'
import { TextCodec } from '../files/tokenizer.ts'
import { type AlignmentRows, lossRows } from '../geometry/alignmentRows.ts'
import { type Fisher, fisherDiagonal } from '../geometry/fisher.ts'
import {
  dampedMetric,
  destroyBuffers,
  identityMetric,
  type Metric,
  sampleDiagonal,
} from '../geometry/metric.ts'
import type { Gpu } from '../gpu/device.ts'
import type { ParameterValues } from '../merge/method.ts'
import { DeviceModel } from '../model/deviceModel.ts'
import { aqiRows } from './aqiRows.ts'
import { computeGeometry, type Geometry } from './geometry.ts'
import { exportFisher, exportRows, importFisher, importRows } from './geometryFiles.ts'
import { MaterialStore } from './materialStore.ts'
import { MergeSlots } from './mergeSlots.ts'
import { pathRows } from './pathRows.ts'
import type { Purpose } from './purpose.ts'
import { fisherSequences, lossTerms, rowProbes } from './sequences.ts'

/** unwanted, margin, aqi: at the anchor; path: the margin half-way to the experts (pathRows.ts) */
export type GradientSource = 'unwanted' | 'margin' | 'aqi' | 'path'

/** What a merge and its geometry are made from; the page's Experiment with models resolved to ids. */
export interface Setup {
  method: string
  anchor: string
  /** `purpose` says what an expert is for; told by its losses where missing */
  experts: readonly { id: string; weight: number; purpose?: Purpose }[]
  lambdaAlign: number
  rank: number
  damping: number
  metric: 'fisher' | 'identity'
  source: GradientSource
  fisher: { labels: 'sampled' | 'data'; form: 'sequence' | 'fast' }
  seed: number
  /** digest of the user's own prompts that are measured on (`Session.userProbes`); absent: the built-in ones */
  probes?: string
  /** the method's own parameters, by declared name; defaults where missing */
  parameters?: ParameterValues
  /** further models that some methods need, by role */
  references?: Partial<Record<'aligned' | 'unaligned' | 'safe', string>>
}

export interface SessionModel {
  id: string
  checkpoint: Checkpoint
  model: DeviceModel
  codec: TextCodec
}

export interface JobOptions {
  signal?: AbortSignal | undefined
  onProgress?: ((label: string, done: number, total: number) => void) | undefined
}

/** Rows of A of each set, and sequences of the Fisher diagonal. Ours; more rows steady U and cost memory. */
export const ROW_COUNT = 32
export const FISHER_SEQUENCES = 64
const KEPT_SEEDS = 2

export class Session {
  readonly gpu: Gpu
  readonly probes: ProbeFile
  /** prompts that users brought to measure on, by digest */
  readonly userProbes: Map<string, UserProbeSet>
  readonly models = new Map<string, SessionModel>()
  readonly material = new MaterialStore(this)
  readonly merges = new MergeSlots(this)
  /** who answers probes in a model's place, e.g. another runtime over the same weights; absent: the engine itself */
  answerWith: ((model: DeviceModel) => Promise<ForwardModel>) | undefined
  private readonly fishers = new Map<string, Fisher>()
  /** by JSON of model ids and what was computed from them */
  private readonly rows = new Map<string, AlignmentRows>()
  private geometry: { key: string; value: Geometry } | undefined
  /** of geometries that were made, the latest first */
  private seeds: number[] = []

  constructor(gpu: Gpu, probes: ProbeFile, userProbes: Map<string, UserProbeSet> = new Map()) {
    this.gpu = gpu
    this.probes = probes
    this.userProbes = userProbes
  }

  /** Streams a checkpoint onto the device in its own storage type. */
  async load(id: string, checkpoint: Checkpoint, options: JobOptions = {}): Promise<SessionModel> {
    const codec = new TextCodec(checkpoint)
    const model = await DeviceModel.load(this.gpu, checkpoint, {
      type: checkpoint.dtype,
      signal: options.signal,
      onProgress: (done, total) => options.onProgress?.(`loading ${checkpoint.name}`, done, total),
    })
    this.close(id)
    const loaded = { id, checkpoint, model, codec }
    this.models.set(id, loaded)
    return loaded
  }

  /** Frees a model and what was computed from it. */
  close(id: string): void {
    const loaded = this.models.get(id)
    if (!loaded) return
    loaded.model.dispose()
    this.models.delete(id)
    this.merges.close(id)
    for (const [key, fisher] of this.fishers)
      if (key.startsWith(`${id}|`)) {
        destroyBuffers(fisher.sums)
        this.fishers.delete(key)
      }
    for (const [key, rows] of this.rows)
      if (JSON.parse(key)[0].includes(id)) {
        destroyBuffers(rows.rows)
        this.rows.delete(key)
      }
    this.material.drop(id)
    if (this.geometry?.key.includes(id)) this.dropGeometry()
  }

  get(id: string): SessionModel {
    const loaded = this.models.get(id)
    if (!loaded) throw new EngineError('request-invalid', `model ${id} is not open`)
    return loaded
  }

  /** Throws when the models of a setup cannot be merged; names the first thing that does not fit. */
  check(setup: Setup): void {
    if (setup.experts.length === 0)
      throw new EngineError('request-invalid', 'a merge needs at least one expert')
    const others = [...setup.experts.map(({ id }) => id), ...Object.values(setup.references ?? {})]
    assertMergeable(
      this.get(setup.anchor).checkpoint,
      others.map((id) => this.get(id).checkpoint),
    )
  }

  /** Fisher diagonal of a model, computed once per (labels, form, seed). */
  async fisher(id: string, how: Setup['fisher'], seed: number, options: JobOptions = {}): Promise<Fisher> {
    const key = `${id}|${how.labels}|${how.form}|${seed}`
    const known = this.fishers.get(key)
    if (known) return known
    const { model, codec } = this.get(id)
    const fisher = await fisherDiagonal(model, fisherSequences(codec, this.probes, FISHER_SEQUENCES, seed), {
      ...how,
      seed,
      signal: options.signal,
      onProgress: (done, total) => options.onProgress?.(`Fisher of ${id}`, done, total),
    })
    this.fishers.set(key, fisher)
    return fisher
  }

  /** Takes a Fisher diagonal, e.g. of a file (geometryFiles.ts), in place of what `fisher` would compute. */
  adoptFisher(id: string, how: Setup['fisher'], seed: number, fisher: Fisher): void {
    this.get(id)
    const key = `${id}|${how.labels}|${how.form}|${seed}`
    this.dropGeometry()
    this.merges.forget(id)
    destroyBuffers(this.fishers.get(key)?.sums)
    this.fishers.set(key, fisher)
  }

  /** The same for rows of A; `ids` is the model and, of a path, its experts. */
  adoptRows(
    ids: readonly string[],
    source: GradientSource,
    split: 'estimate' | 'heldout',
    seed: number,
    rows: AlignmentRows,
  ): void {
    for (const id of ids) this.get(id)
    const key = JSON.stringify([ids, source, split, seed])
    this.dropGeometry()
    this.merges.forget(ids[0])
    destroyBuffers(this.rows.get(key)?.rows)
    this.rows.set(key, rows)
  }

  /** Fisher diagonals and rows of A as files, and from files in place of computing them (geometryFiles.ts). */
  readonly files = {
    exportFisher: exportFisher.bind(undefined, this),
    importFisher: importFisher.bind(undefined, this),
    exportRows: exportRows.bind(undefined, this),
    importRows: importRows.bind(undefined, this),
  }

  /** Rows of A at a model, or on the way from it to `experts`; computed once per (models, source, split, seed). */
  async alignmentRows(
    id: string,
    source: GradientSource,
    split: 'estimate' | 'heldout',
    seed: number,
    options: JobOptions = {},
    experts: readonly string[] = [],
  ): Promise<AlignmentRows> {
    const others = source === 'path' ? experts : []
    const key = JSON.stringify([[id, ...others], source, split, seed])
    const known = this.rows.get(key)
    if (known) return known
    const { model, codec } = this.get(id)
    const inner = {
      signal: options.signal,
      onProgress: (done: number, total: number) =>
        options.onProgress?.(`alignment gradients (${source}, ${split})`, done, total),
    }
    let rows: AlignmentRows
    if (source === 'aqi') rows = await aqiRows(model, codec, this.probes, split, seed, inner)
    else if (source === 'path') {
      const models = others.map((other) => this.get(other).model)
      const choice = { split, count: ROW_COUNT, seed }
      rows = await pathRows(model, models, codec, this.probes, choice, inner)
    } else {
      const picked = rowProbes(this.probes, split, ROW_COUNT, seed)
      rows = await lossRows(model, lossTerms(codec, picked, source), picked.length, inner)
    }
    this.rows.set(key, rows)
    return rows
  }

  /** The geometry of a setup; λ_k, λ_align and rank do not enter. */
  async prepare(setup: Setup, options: JobOptions = {}): Promise<Geometry> {
    this.check(setup)
    const { anchor, experts, metric, damping, source, fisher, seed } = setup
    const key = JSON.stringify([anchor, experts.map(({ id }) => id), metric, damping, source, fisher, seed])
    if (this.geometry?.key === key) return this.geometry.value
    // The control source must differ from the one the merge is shielded by.
    // An aligned anchor's own completions have almost no gradient, so `margin` would be `unwanted` over again.
    const other = source === 'aqi' ? 'unwanted' : 'aqi'
    const anchorFisher = await this.fisher(anchor, fisher, seed, options)
    const ids = experts.map(({ id }) => id)
    const rows = {
      own: await this.alignmentRows(anchor, source, 'estimate', seed, options, ids),
      heldOut: await this.alignmentRows(anchor, source, 'heldout', seed, options, ids),
      other: await this.alignmentRows(anchor, other, 'heldout', seed, options),
    }
    throwIfCancelled(options.signal)
    const { model } = this.get(anchor)
    const made: Metric =
      metric === 'identity' ? identityMetric(model) : await dampedMetric(model, anchorFisher, damping)
    try {
      const value = await computeGeometry({
        anchor: model,
        experts: experts.map(({ id }) => this.get(id).model),
        metric: made,
        rows,
        signal: options.signal,
        onProgress: (done, total) => options.onProgress?.('projections', done, total),
      })
      this.dropGeometry()
      this.geometry = { key, value }
      this.dropOtherPaths(ids)
      this.dropOldSeeds(seed)
      return value
    } catch (error) {
      destroyBuffers(made.diagonal)
      throw error
    }
  }

  /** Spearman correlations that show what metric and fast form do; words where there is none. */
  async metricChecks(
    setup: Setup,
    options: JobOptions = {},
  ): Promise<{ metric: number | string; fastForm: number | string }> {
    const { model } = this.get(setup.anchor)
    const geometry = await this.prepare(setup, options)
    const sequence = await this.fisher(
      setup.anchor,
      { ...setup.fisher, form: 'sequence' },
      setup.seed,
      options,
    )
    const fast = await this.fisher(setup.anchor, { ...setup.fisher, form: 'fast' }, setup.seed, options)
    const sample = (buffers: Fisher['sums']) => sampleDiagonal(model, buffers)
    const exact = await sample(sequence.sums)
    const word = (value: ReturnType<typeof spearman>) =>
      typeof value === 'number' ? value : value.unavailable
    return {
      metric: word(spearman(await sample(geometry.input.metric.diagonal), exact)),
      fastForm: word(spearman(await sample(fast.sums), exact)),
    }
  }

  /** Writes the merge of a setup into the anchor's slot and returns it; the same setup again costs nothing. */
  async merge(setup: Setup, options: JobOptions = {}): Promise<DeviceModel> {
    return this.merges.merge(setup, options)
  }

  /** Rows on the way to other experts: every new set of experts would leave its own behind. */
  private dropOtherPaths(experts: readonly string[]): void {
    const current = JSON.stringify(experts)
    for (const [key, rows] of this.rows) {
      const [[, ...others]] = JSON.parse(key) as [string[]]
      if (others.length === 0 || JSON.stringify(others) === current) continue
      destroyBuffers(rows.rows)
      this.rows.delete(key)
    }
  }

  /** Rows of A are the largest thing a session makes: of the last two seeds they are kept, and Fisher diagonals too. */
  private dropOldSeeds(seed: number): void {
    this.seeds = [seed, ...this.seeds.filter((other) => other !== seed)].slice(0, KEPT_SEEDS)
    for (const [key, fisher] of this.fishers) {
      if (this.seeds.includes(Number(key.split('|').at(-1)))) continue
      destroyBuffers(fisher.sums)
      this.fishers.delete(key)
    }
    for (const [key, rows] of this.rows) {
      if (this.seeds.includes((JSON.parse(key) as [unknown, unknown, unknown, number])[3])) continue
      destroyBuffers(rows.rows)
      this.rows.delete(key)
    }
  }

  private dropGeometry(): void {
    destroyBuffers(this.geometry?.value.input.metric.diagonal)
    this.geometry = undefined
  }

  /** Frees everything on the device but the device itself. */
  dispose(): void {
    for (const id of [...this.models.keys()]) this.close(id)
    this.dropGeometry()
    this.merges.dispose()
  }
}
