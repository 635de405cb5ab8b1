// Every kernel, and a model of every family, on the adapter at hand against the stored vectors. Drivers and browsers
// have been seen to compute wrong numbers without an error; a merge made there would be garbage that looks like a model.

import { EngineError, throwIfCancelled } from '../errors.ts'
import type { Gpu } from '../gpu/device.ts'
import { Batch } from '../model/batch.ts'
import { DeviceModel } from '../model/deviceModel.ts'
import { readConfig } from '../model/families/registry.ts'
import { createGradients, GradientSink } from '../model/gradientSink.ts'
import { allLogits, encodeLossGradient, readGradients } from '../model/gradients.ts'
import { makeInputs, missesOf, runOnce } from './kernelRun.ts'
import { directionOf, type ModelVectors } from './modelVectors.ts'
import { hashInputs, type KernelVector, type Vectors } from './vectors.ts'

/** Largest relative error of a tiny model's logits, and of a slope against the largest slope, in float32. */
export const LOGIT_BOUND = 3e-5
export const SLOPE_BOUND = 1e-4

export interface SelfTestRow {
  /** kernel, or `model: FAMILY` */
  name: string
  /** cases, storage types or checks that were run */
  checks: number
  failed: number
  /** the first failures in words */
  misses: string[]
}

export interface SelfTestResult {
  adapter: string
  rows: SelfTestRow[]
  passed: boolean
  durationMs: number
}

export interface SelfTestOptions {
  signal?: AbortSignal | undefined
  onRow?: ((row: SelfTestRow, done: number, total: number) => void) | undefined
}

const SHOWN = 3

/** Runs everything. A wrong number is a row that failed, not a rejection; rejects `device-lost` and `cancelled`. */
export async function selfTest(
  gpu: Gpu,
  vectors: Vectors,
  options: SelfTestOptions = {},
): Promise<SelfTestResult> {
  const begun = performance.now()
  const byKernel = new Map<string, KernelVector[]>()
  for (const vector of vectors.kernels)
    byKernel.set(vector.kernel.name, [...(byKernel.get(vector.kernel.name) ?? []), vector])
  const rows: SelfTestRow[] = []
  const total = byKernel.size + vectors.models.length
  const report = (row: SelfTestRow) => {
    rows.push(row)
    options.onRow?.(row, rows.length, total)
  }
  for (const [name, cases] of byKernel) {
    throwIfCancelled(options.signal)
    report(rowOf(name, cases.length, await checked(gpu, () => kernelMisses(gpu, cases))))
  }
  for (const model of vectors.models) {
    throwIfCancelled(options.signal)
    const misses = await checked(gpu, () => modelMisses(gpu, model))
    report(rowOf(`model: ${model.family}`, 1 + model.slopes.size, misses))
  }
  const passed = rows.every(({ failed }) => failed === 0)
  return { adapter: gpu.summary.adapter, rows, passed, durationMs: performance.now() - begun }
}

const rowOf = (name: string, checks: number, misses: string[]): SelfTestRow => ({
  name,
  checks,
  failed: misses.length,
  misses: misses.slice(0, SHOWN),
})

/** A kernel that the driver refuses has failed; a device that is gone ends the test. */
async function checked(gpu: Gpu, work: () => Promise<string[]>): Promise<string[]> {
  try {
    const misses = await work()
    // What the driver had to say about it may come after its results.
    await gpu.idle()
    return misses
  } catch (error) {
    if (!(error instanceof EngineError) || error.code === 'cancelled' || gpu.lostReason !== undefined)
      throw error
    await drain(gpu)
    return [error.message]
  }
}

/** One refused shader is told of several times, and the next row has nothing to do with it. */
async function drain(gpu: Gpu): Promise<void> {
  for (let tries = 0; tries < 8; tries++)
    try {
      return await gpu.idle()
    } catch (error) {
      if (gpu.lostReason !== undefined) throw error
    }
}

async function kernelMisses(gpu: Gpu, cases: readonly KernelVector[]): Promise<string[]> {
  const misses: string[] = []
  for (const { kernel, test, weights, inputs: hash, expected } of cases) {
    const label = `${test.name}, ${weights}`
    const inputs = makeInputs(kernel, test, 'unit', weights)
    if (hashInputs(inputs) !== hash) {
      misses.push(`${label}: this browser draws other inputs from the same seed`)
      continue
    }
    const run = await runOnce(gpu, kernel, test, inputs, weights)
    // What is stored is rounded to float32 once, which the kernels' own bounds leave room for.
    const found = missesOf(kernel, run, expected, 'unit', weights)
    if (found.length > 0) misses.push(`${label}: ${found.join('; ')}`)
  }
  return misses
}

async function modelMisses(gpu: Gpu, vectors: ModelVectors): Promise<string[]> {
  const config = readConfig(vectors.config)
  const model = DeviceModel.fromArrays(gpu, config, vectors.weights)
  const batch = new Batch(gpu, config, [{ ids: vectors.ids, firstTarget: 1 }])
  const outputs = createGradients(gpu, config)
  const misses: string[] = []
  try {
    const logits = await allLogits(model, batch)
    const [difference, norm] = [
      Math.hypot(...vectors.logits.map((v, i) => v - logits[i])),
      Math.hypot(...vectors.logits),
    ]
    if (!(difference <= LOGIT_BOUND * norm))
      misses.push(`logits are off by ${difference / norm}, at most ${LOGIT_BOUND}`)
    const sink = new GradientSink(gpu, config, batch, outputs, 'gradient')
    const scale = new Float32Array(batch.rowCount).fill(1 / batch.rowCount)
    gpu.pool.release(encodeLossGradient(model, batch, scale, sink))
    const gradients = await readGradients(gpu, outputs, (name) => model.tensor(name).count)
    const largest = Math.max(...[...vectors.slopes.values()].map(Math.abs))
    for (const [name, slope] of vectors.slopes) {
      const gradient = gradients.get(name)!
      const direction = directionOf(name, gradient.length)
      const ours = gradient.reduce((sum, value, i) => sum + value * direction[i], 0)
      if (!(Math.abs(ours - slope) <= SLOPE_BOUND * largest))
        misses.push(`gradient of ${name}: slope ${ours}, expected ${slope}`)
    }
    return misses
  } finally {
    batch.release()
    for (const buffer of outputs.values()) buffer.destroy()
    model.dispose()
  }
}
