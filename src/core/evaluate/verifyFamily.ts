// Compares the engine with stored reference vectors of one checkpoint: logits, hidden states, gradients and
// Fisher diagonal. Used by `npm run verify` in Node and in the browser. Bounds are relative per tensor,
// ‖ours − ref‖ / ‖ref‖ in float32.

import { EngineError } from '../errors.ts'
import type { Checkpoint } from '../files/checkpoint.ts'
import type { CheckpointFolder } from '../files/folder.ts'
import { readSafetensorsHeader, readTensor } from '../files/safetensors.ts'
import { readText } from '../files/source.ts'
import type { Gpu } from '../gpu/device.ts'
import { Batch, type Sequence } from '../model/batch.ts'
import { DeviceModel } from '../model/deviceModel.ts'
import { createGradients, type GradientKind, GradientSink } from '../model/gradientSink.ts'
import { allLogits, encodeLossGradient, hiddenStates, readGradients } from '../model/gradients.ts'

export type VerifyKind = 'logits' | 'hidden' | 'loss' | 'gradient' | 'fisher'

export const VERIFY_BOUNDS: Record<VerifyKind, number> = {
  logits: 3e-5,
  hidden: 3e-5,
  loss: 3e-5,
  gradient: 3e-4,
  fisher: 6e-4,
}

export interface VerifyRow {
  kind: VerifyKind
  /** the tensor with the largest error */
  worst: string
  error: number
  bound: number
  tensors: number
  passed: boolean
}

/** ‖ours − ref‖ / ‖ref‖; infinite when ours is not finite or a zero reference is missed. */
export function relativeNorm(ours: ArrayLike<number>, ref: ArrayLike<number>): number {
  if (ours.length !== ref.length) return Number.POSITIVE_INFINITY
  let difference = 0
  let norm = 0
  for (let i = 0; i < ref.length; i++) {
    difference += (ours[i] - ref[i]) ** 2
    norm += ref[i] ** 2
  }
  if (!Number.isFinite(difference)) return Number.POSITIVE_INFINITY
  if (norm === 0) return difference === 0 ? 0 : Number.POSITIVE_INFINITY
  return Math.sqrt(difference / norm)
}

class Tally {
  private readonly worst = new Map<VerifyKind, { tensor: string; error: number; count: number }>()
  add(kind: VerifyKind, tensor: string, error: number): void {
    const known = this.worst.get(kind)
    if (!known) this.worst.set(kind, { tensor, error, count: 1 })
    else {
      known.count++
      if (error > known.error) Object.assign(known, { tensor, error })
    }
  }
  rows(): VerifyRow[] {
    return [...this.worst].map(([kind, { tensor, error, count }]) => ({
      kind,
      worst: tensor,
      error,
      bound: VERIFY_BOUNDS[kind],
      tensors: count,
      passed: error <= VERIFY_BOUNDS[kind],
    }))
  }
}

/** Runs all comparisons of a family folder; rejects with a typed error when it cannot be read or is unsupported. */
export async function verifyFamily(
  gpu: Gpu,
  checkpoint: Checkpoint,
  folder: CheckpointFolder,
): Promise<VerifyRow[]> {
  const sequences = await readSequences(folder)
  const reference = await openReference(folder)
  const model = await DeviceModel.load(gpu, checkpoint, { type: checkpoint.dtype })
  const tally = new Tally()
  try {
    for (const [j, sequence] of sequences.entries()) {
      const alone = new Batch(gpu, model.config, [sequence])
      tally.add(
        'logits',
        `logits.${j}`,
        relativeNorm(await allLogits(model, alone), await reference.read(`logits.${j}`)),
      )
      const states = await hiddenStates(model, alone)
      const stack = new Float32Array(states.reduce((sum, state) => sum + state.length, 0))
      let at = 0
      for (const state of states) {
        stack.set(state, at)
        at += state.length
      }
      tally.add('hidden', `hidden.${j}`, relativeNorm(stack, await reference.read(`hidden.${j}`)))
      alone.release()
    }
    await compareGradients(model, sequences, 'gradient', 'grad', reference, tally)
    await compareGradients(model, sequences, 'squares', 'fisher', reference, tally)
    return tally.rows()
  } finally {
    model.dispose()
  }
}

async function compareGradients(
  model: DeviceModel,
  sequences: Sequence[],
  kind: Extract<GradientKind, 'gradient' | 'squares'>,
  prefix: string,
  reference: Reference,
  tally: Tally,
): Promise<void> {
  const { gpu } = model
  const batch = new Batch(gpu, model.config, sequences)
  const outputs = createGradients(gpu, model.config)
  const sink = new GradientSink(gpu, model.config, batch, outputs, kind)
  // Gradient: mean over all target tokens. Fisher: squares of each sequence's summed loss, mean over sequences.
  const share = kind === 'gradient' ? 1 / batch.rowCount : 1
  const loss = encodeLossGradient(model, batch, new Float32Array(batch.rowCount).fill(share), sink)
  const losses = await gpu.readFloats(loss, batch.rowCount)
  gpu.pool.release(loss)
  const ours = await readGradients(gpu, outputs, (name) => model.tensor(name).count)
  for (const [name, values] of ours) {
    const scaled = kind === 'squares' ? values.map((v) => v / batch.sequenceCount) : values
    const label = `${prefix}.${name}`
    tally.add(
      kind === 'gradient' ? 'gradient' : 'fisher',
      label,
      relativeNorm(scaled, await reference.read(label)),
    )
  }
  if (kind === 'gradient' && reference.loss !== undefined) {
    const mean = losses.reduce((sum, value) => sum + value, 0) / losses.length
    tally.add('loss', 'loss', Math.abs(mean - reference.loss) / Math.abs(reference.loss))
  }
  for (const buffer of outputs.values()) buffer.destroy()
  batch.release()
}

interface Reference {
  loss: number | undefined
  read(name: string): Promise<Float32Array | Float64Array>
}

async function openReference(folder: CheckpointFolder): Promise<Reference> {
  const file = 'reference.safetensors'
  const source = await folder.file(file)
  if (!source) throw new EngineError('file-missing', 'no reference vectors beside the checkpoint', { file })
  const header = await readSafetensorsHeader(source)
  const loss = Number(header.metadata?.loss)
  return {
    loss: Number.isFinite(loss) ? loss : undefined,
    async read(name) {
      const info = header.tensors.get(name)
      if (!info)
        throw new EngineError('file-missing', 'the reference has no such tensor', { file, tensor: name })
      const bytes = await readTensor(source, header, name)
      if (info.dtype === 'F64') return new Float64Array(bytes.slice().buffer)
      if (info.dtype === 'F32') return new Float32Array(bytes.slice().buffer)
      throw new EngineError('file-unsupported', `reference of type ${info.dtype}, expected F32 or F64`, {
        file,
        tensor: name,
      })
    },
  }
}

async function readSequences(folder: CheckpointFolder): Promise<Sequence[]> {
  const file = 'sequences.json'
  const source = await folder.file(file)
  if (!source) throw new EngineError('file-missing', 'no sequences beside the checkpoint', { file })
  let list: unknown
  try {
    list = JSON.parse(await readText(source, 1 << 24))
  } catch (error) {
    throw new EngineError('file-malformed', `not JSON: ${String(error)}`, { file })
  }
  const isSequence = (s: unknown): s is { ids: number[]; firstTarget: number } =>
    typeof s === 'object' &&
    s !== null &&
    Array.isArray((s as Sequence).ids) &&
    Number.isInteger((s as Sequence).firstTarget)
  if (!Array.isArray(list) || list.length === 0 || !list.every(isSequence))
    throw new EngineError('file-malformed', 'expected a list of {ids, firstTarget}', { file })
  return list
}
