// A session without a device: models in host memory, run forward by onnxruntime's wasm provider; merges by float64
// references and the closed form; geometry from shipped files. What needs gradients does not exist here and says so.

import { EngineError } from '../../errors.ts'
import type { ForwardModel } from '../../evaluate/forwardModel.ts'
import { OrtModel } from '../../evaluate/ort/ortModel.ts'
import type { OrtModule } from '../../evaluate/ort/ortSession.ts'
import type { ProbeFile } from '../../evaluate/probes.ts'
import type { UserProbeSet } from '../../evaluate/userProbes.ts'
import type { Checkpoint } from '../../files/checkpoint.ts'
import type { CheckpointFolder } from '../../files/folder.ts'
import { assertMergeable } from '../../files/mergeable.ts'
import { TextCodec } from '../../files/tokenizer.ts'
import { weightsDigest } from '../../files/weightsDigest.ts'
import { type Directions, readDirections } from '../../geometry/directionsFile.ts'
import { readFisherFile } from '../../geometry/fisherFile.ts'
import { unpackRows } from '../../geometry/packedRows.ts'
import { normaliseWeights } from '../../merge/closedForm.ts'
import type { MaterialKind } from '../../merge/declaration.ts'
import { encodeWeights } from '../../tensors/dtype.ts'
import { alignOptionsOf } from '../alignParameters.ts'
import type { MeasuredDrift } from '../geometry.ts'
import { probesDigest } from '../geometryFiles.ts'
import type { MeasuredSession } from '../measures.ts'
import type { JobOptions, Setup } from '../session.ts'
import type { GeometryNumbers } from '../summary.ts'
import { HostGeometry, type HostGeometryInput } from './hostGeometry.ts'
import { mergeOnHost } from './hostMerge.ts'
import { dampedDiagonal, readFisher } from './hostMetric.ts'
import {
  differenceOf,
  type HostWeights,
  layoutOf,
  readHostWeights,
  storedAs,
  weightOf,
} from './hostWeights.ts'
import { findOnShelf, readShelf, type ShelfIndex } from './shelf.ts'

export interface CpuModel {
  id: string
  checkpoint: Checkpoint
  codec: TextCodec
  weights: HostWeights
  /** weightsDigest */ digest: string
  model: OrtModel
}

/** A merge as it is stored, and what runs it. */
interface Slot {
  key: string
  weights: HostWeights
  model?: OrtModel
}

export class CpuSession implements MeasuredSession<ForwardModel> {
  readonly probes: ProbeFile
  readonly userProbes: Map<string, UserProbeSet>
  readonly models = new Map<string, CpuModel>()
  readonly #loadOrt: () => Promise<OrtModule>
  readonly #shelf: CheckpointFolder
  #index: Promise<ShelfIndex> | undefined
  #geometry: { key: string; value: HostGeometry } | undefined
  #slot: Slot | undefined

  /** `shelf` is the folder of shipped geometries. */
  constructor(
    loadOrt: () => Promise<OrtModule>,
    shelf: CheckpointFolder,
    probes: ProbeFile,
    userProbes: Map<string, UserProbeSet> = new Map(),
  ) {
    this.#loadOrt = loadOrt
    this.#shelf = shelf
    this.probes = probes
    this.userProbes = userProbes
  }

  /** Reads a checkpoint's weights and makes it answer. Rejects what reading rejects, and `runtime-failed`. */
  async load(id: string, checkpoint: Checkpoint, options: JobOptions = {}): Promise<CpuModel> {
    const weights = await readHostWeights(checkpoint, {
      signal: options.signal,
      onProgress: (done, total) => options.onProgress?.(`loading ${checkpoint.name}`, done, total),
    })
    const digest = await digestOf(checkpoint, weights)
    const model = await this.#open(checkpoint, weights)
    await this.close(id)
    const loaded = { id, checkpoint, codec: new TextCodec(checkpoint), weights, digest, model }
    this.models.set(id, loaded)
    return loaded
  }

  get(id: string): CpuModel {
    const loaded = this.models.get(id)
    if (!loaded) throw new EngineError('request-invalid', `model ${id} is not open`)
    return loaded
  }

  async close(id: string): Promise<void> {
    const loaded = this.models.get(id)
    if (!loaded) return
    this.models.delete(id)
    this.#geometry = undefined
    await this.#dropSlot()
    await loaded.model.dispose()
  }

  /**
   * The geometry of a setup, from the shelf; λ_k, λ_align and rank do not enter. `gpu-unavailable` where none is shipped
   * for it, `check-failed` for one that was made with other probes.
   */
  async prepare(setup: Setup, options: JobOptions = {}): Promise<HostGeometry> {
    this.#check(setup)
    const { metric, damping, source, fisher, seed } = setup
    const settings = { metric, damping, source, fisher, seed }
    const anchor = this.get(setup.anchor)
    const experts = setup.experts.map(({ id }) => this.get(id))
    const key = JSON.stringify([setup.anchor, experts.map(({ id }) => id), settings])
    if (this.#geometry?.key === key) return this.#geometry.value
    const named = ({ checkpoint, digest }: CpuModel) => ({ name: checkpoint.name, digest })
    const request = { settings, anchor: named(anchor), experts: experts.map(named) }
    const entry = findOnShelf(await this.#readIndex(options), request)
    const { layout } = anchor.weights
    options.onProgress?.('reading the shipped geometry', 0, 3)
    const directions = await readDirections<GeometryNumbers>(
      await this.#file(entry.directions, options),
      layout.total,
      options.signal,
    )
    await this.#assertMatches(directions, entry.directions, anchor)
    options.onProgress?.('reading the shipped geometry', 1, 3)
    const value = new HostGeometry({
      layout,
      layerCount: anchor.checkpoint.config.layerCount,
      metric: await this.#metric(setup, entry.fisher, anchor, options),
      ...inOrder(
        directions,
        experts.map(({ digest }) => digest),
      ),
      rows: unpacked(directions),
      differences: experts.map(({ weights }) => differenceOf(weights, anchor.weights)),
    })
    options.onProgress?.('reading the shipped geometry', 3, 3)
    this.#geometry = { key, value }
    return value
  }

  /** Weights of the merge of a setup as they are stored; the same setup again costs nothing. */
  async merge(setup: Setup, options: JobOptions = {}): Promise<HostWeights> {
    return (await this.#mergeSlot(setup, options)).weights
  }

  /** The merge of a setup, run forward. */
  async mergedModel(setup: Setup, options: JobOptions = {}): Promise<ForwardModel> {
    const slot = await this.#mergeSlot(setup, options)
    slot.model ??= await this.#open(this.get(setup.anchor).checkpoint, slot.weights)
    return slot.model
  }

  /** Drift of any weights as they are stored, in the setup's geometry. */
  async drift(setup: Setup, weights: HostWeights, options: JobOptions = {}): Promise<MeasuredDrift> {
    const geometry = await this.prepare(setup, options)
    const delta = differenceOf(weights, this.get(setup.anchor).weights)
    return geometry.drift(delta, setup.rank, options.signal)
  }

  async dispose(): Promise<void> {
    for (const id of [...this.models.keys()]) await this.close(id)
    await this.#dropSlot()
  }

  #check({ anchor, experts, references }: Setup): void {
    if (experts.length === 0) throw new EngineError('request-invalid', 'a merge needs at least one expert')
    const others = [...experts.map(({ id }) => id), ...Object.values(references ?? {})]
    assertMergeable(
      this.get(anchor).checkpoint,
      others.map((id) => this.get(id).checkpoint),
    )
  }

  async #mergeSlot(setup: Setup, options: JobOptions): Promise<Slot> {
    this.#check(setup)
    const key = JSON.stringify(setup)
    if (this.#slot?.key === key) return this.#slot
    await this.#dropSlot()
    const base = this.get(setup.anchor).weights
    const { type, layout } = base
    const values = storedAs(await this.#mergedValues(setup, options), type)
    const bad = layout.weights.find((weight) => weightOf(weight, values).some((x) => !Number.isFinite(x)))
    if (bad) throw new EngineError('not-finite', 'the merge holds NaN or infinity', { tensor: bad.name })
    this.#slot = { key, weights: { layout, values, type } }
    return this.#slot
  }

  /** Before they are rounded to the stored type. */
  async #mergedValues(setup: Setup, options: JobOptions): Promise<Float64Array> {
    const weights = normaliseWeights(setup.experts.map(({ weight }) => weight))
    const anchor = this.get(setup.anchor)
    // Without a shield it is the average, which needs no geometry.
    const isAverage =
      setup.method === 'alignmerge' && setup.lambdaAlign === 0 && !alignOptionsOf(setup.parameters ?? {})
    if (setup.method === 'alignmerge' && !isAverage) {
      if (alignOptionsOf(setup.parameters ?? {}))
        throw new EngineError(
          'gpu-unavailable',
          'AlignMerge’s rounds, budgets, controls and weights of directions need gradients, which only WebGPU gives here; its plain form works',
        )
      const geometry = await this.prepare(setup, options)
      const delta = geometry.merge(weights, setup.lambdaAlign, setup.rank)
      return delta.map((value, p) => anchor.weights.values[p] + value)
    }
    const references: Partial<Record<MaterialKind, HostWeights>> = {}
    for (const [role, id] of Object.entries(setup.references ?? {}))
      references[role as MaterialKind] = this.get(id).weights
    return mergeOnHost({
      method: isAverage ? 'linear' : setup.method,
      base: anchor.weights,
      models: setup.experts.map(({ id }) => this.get(id).weights),
      weights: [...weights],
      parameters: isAverage ? {} : (setup.parameters ?? {}),
      layerCount: anchor.checkpoint.config.layerCount,
      seed: setup.seed,
      references,
      signal: options.signal,
      onProgress: (done, total) => options.onProgress?.('merging', done, total),
    })
  }

  async #open(checkpoint: Checkpoint, { layout, values }: HostWeights): Promise<OrtModel> {
    const byName = new Map(layout.weights.map((weight) => [weight.name, weightOf(weight, values)]))
    const read = (name: string) => byName.get(name) ?? new Float32Array(0)
    return OrtModel.openHost(await this.#loadOrt(), checkpoint.config, read, { hasHidden: true })
  }

  async #dropSlot(): Promise<void> {
    const slot = this.#slot
    this.#slot = undefined
    await slot?.model?.dispose()
  }

  async #metric(setup: Setup, name: string, anchor: CpuModel, options: JobOptions): Promise<Float32Array> {
    const { layout } = anchor.weights
    if (setup.metric === 'identity') return new Float32Array(layout.total).fill(1)
    const { checkpoint, digest } = anchor
    const owner = { name: checkpoint.name, weights: checkpoint.weights, digest }
    const file = await readFisherFile(await this.#file(name, options), owner, options.signal)
    return dampedDiagonal(await readFisher(file, layout, options.signal), setup.damping)
  }

  async #assertMatches(
    { anchor, probes }: Directions<GeometryNumbers>,
    file: string,
    { digest }: CpuModel,
  ): Promise<void> {
    if (anchor.digest !== digest)
      throw new EngineError(
        'shape-mismatch',
        `directions of other weights: made for ${anchor.digest}, this is ${digest}`,
        { file },
      )
    const own = await probesDigest(this.probes)
    if (probes !== own)
      throw new EngineError(
        'check-failed',
        `directions were estimated from probes ${probes}, these are ${own}`,
        { file },
      )
  }

  #readIndex(options: JobOptions): Promise<ShelfIndex> {
    if (this.#index) return this.#index
    const reading = readShelf(this.#shelf, options.signal)
    this.#index = reading
    // A cancelled or failed reading must not be remembered.
    reading.catch(() => {
      this.#index = undefined
    })
    return reading
  }

  async #file(name: string, options: JobOptions) {
    const source = await this.#shelf.file(name, options.signal)
    if (!source) throw new EngineError('file-missing', 'a shipped geometry is not there', { file: name })
    return source
  }
}

/** weightsDigest of weights that are in memory. */
export function digestOf(
  checkpoint: Pick<Checkpoint, 'weights'>,
  { values, type }: HostWeights,
): Promise<string> {
  const byName = new Map(layoutOf(checkpoint.weights).weights.map((weight) => [weight.name, weight]))
  return weightsDigest({
    weights: checkpoint.weights,
    readWeight: async (name) => ({
      bytes: new Uint8Array(encodeWeights(weightOf(byName.get(name)!, values), type)),
      type,
    }),
  })
}

/** What a file says of experts, in another order of them. */
function inOrder(
  { experts, summary, known }: Directions<GeometryNumbers>,
  digests: readonly string[],
): Pick<HostGeometryInput, 'numbers' | 'known'> {
  const order = digests.map((digest) => experts.findIndex((expert) => expert.digest === digest))
  const pick = <T>(rows: readonly T[]): T[] => order.map((k) => rows[k])
  const turned = (groups: number[][][]) =>
    groups.map((group) => [...pick(group), ...group.slice(order.length)])
  return {
    numbers: {
      ...summary,
      alignmentCoordinates: pick(summary.alignmentCoordinates),
      heldOutCoordinates: pick(summary.heldOutCoordinates),
      otherCoordinates: pick(summary.otherCoordinates),
      gram: pick(summary.gram).map((row) => pick(row)),
    },
    known: { own: turned(known.own), heldOut: turned(known.heldOut), other: turned(known.other) },
  }
}

const unpacked = ({ rows }: Directions<GeometryNumbers>): HostGeometryInput['rows'] => ({
  own: unpackRows(rows.own),
  heldOut: unpackRows(rows.heldOut),
  other: unpackRows(rows.other),
})
