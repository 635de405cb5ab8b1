// Rows of A against gradients of single sequences, and against what the losses really do.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import { flatBuffers, flatRows, randomSequences } from '../../testing/tinyMerge.ts'
import { referenceLosses, relativeError, TINY_CONFIGS, tinyModel } from '../../testing/tinyModels.ts'
import type { Gpu } from '../gpu/device.ts'
import { Batch, type Sequence } from '../model/batch.ts'
import { DeviceModel } from '../model/deviceModel.ts'
import { createGradients, GradientSink } from '../model/gradientSink.ts'
import { encodeLossGradient, encodePooledGradient } from '../model/gradients.ts'
import { Random } from '../tensors/random.ts'
import { type LossTerm, lossRows, type PooledTerm, pooledRows } from './alignmentRows.ts'
import { destroyBuffers } from './metric.ts'

const tiny = tinyModel(TINY_CONFIGS['phi3, tied, odd vocabulary'])
const sequences = randomSequences(7, tiny.config.vocabSize, 31)

let gpu: Gpu
let model: DeviceModel
beforeAll(async () => {
  gpu = await openTestDevice()
  model = DeviceModel.fromArrays(gpu, tiny.config, tiny.arrays)
})
afterAll(() => gpu?.close())

/** Gradient (P) of one batch through a plain sink. */
async function gradientOf(
  own: readonly Sequence[],
  encode: (batch: Batch, sink: GradientSink) => GPUBuffer | undefined,
): Promise<Float64Array> {
  const batch = new Batch(gpu, model.config, own)
  const outputs = createGradients(gpu, model.config)
  gpu.pool.release(encode(batch, new GradientSink(gpu, model.config, batch, outputs, 'gradient')))
  const flat = await flatBuffers(model, outputs)
  batch.release()
  destroyBuffers(outputs)
  return flat
}

const meanLossGradient = (sequence: Sequence) =>
  gradientOf([sequence], (batch, sink) =>
    encodeLossGradient(model, batch, new Float32Array(batch.rowCount).fill(1 / batch.rowCount), sink),
  )

// Row 0: one sequence. Row 1: a margin. Row 2: two unwanted and one aligned sequence. Row 3 stays empty.
const TERMS: LossTerm[] = [
  { row: 0, sequence: sequences[0], sign: 1 },
  { row: 1, sequence: sequences[1], sign: 1 },
  { row: 1, sequence: sequences[2], sign: -1 },
  { row: 2, sequence: sequences[3], sign: 1 },
  { row: 2, sequence: sequences[4], sign: 1 },
  { row: 2, sequence: sequences[5], sign: -1 },
]
const COUNT = 4
const shareOf = (row: number) => Math.max(1, TERMS.filter((term) => term.row === row && term.sign > 0).length)

test('a row is the signed mean of its sequences’ mean-loss gradients', async () => {
  const made = await lossRows(model, TERMS, COUNT)
  const rows = await flatRows(model, made)
  for (let row = 0; row < COUNT; row++) {
    const expected = new Float64Array(rows[0].length)
    for (const { sequence, sign } of TERMS.filter((term) => term.row === row))
      (await meanLossGradient(sequence)).forEach((value, j) => {
        expected[j] += (sign * value) / shareOf(row)
      })
    expect(relativeError(rows[row], expected), `row ${row}`).toBeLessThan(3e-6)
  }
  expect(rows[3].every((value) => value === 0)).toBe(true)
  destroyBuffers(made.rows)
})

test('rows do not depend on the batch size, even where a row is cut in two', async () => {
  const whole = await lossRows(model, TERMS, COUNT)
  for (const batchSequences of [1, 2, 4]) {
    const parts = await lossRows(model, TERMS, COUNT, { batchSequences })
    const [a, b] = [await flatRows(model, parts), await flatRows(model, whole)]
    for (let row = 0; row < COUNT; row++) expect(relativeError(a[row], b[row])).toBeLessThan(2e-6)
    destroyBuffers(parts.rows)
  }
  destroyBuffers(whole.rows)
})

test('a small step along a row raises its functional by step · ‖row‖²', async () => {
  const made = await lossRows(model, TERMS, COUNT)
  const row = (await flatRows(model, made))[1]
  const functional = (step: number) => {
    let at = 0
    const weights = new Map(
      Array.from(tiny.arrays, ([name, values]) => [
        name,
        Float64Array.from(values, (value) => value + step * row[at++]),
      ]),
    )
    const mean = (sequence: (typeof sequences)[number]) => {
      const losses = referenceLosses(tiny.config, weights, sequence)
      return losses.reduce((a, b) => a + b, 0) / losses.length
    }
    return mean(sequences[1]) - mean(sequences[2])
  }
  const squared = row.reduce((sum, value) => sum + value * value, 0)
  const step = 1e-4 / Math.sqrt(squared)
  expect((functional(step) - functional(-step)) / (2 * step * squared)).toBeCloseTo(1, 4)
  destroyBuffers(made.rows)
})

test('rows from pooled states are the gradients of their terms, added up', async () => {
  const random = new Random(6, 2)
  const C = tiny.config.hiddenSize
  const term = (row: number, own: Sequence[]): PooledTerm => {
    let start = 0
    const bounds = own.map(({ ids }) => {
      start += ids.length
      return [start - ids.length + 1, start]
    })
    return {
      row,
      sequences: own,
      pooling: {
        spanStart: Uint32Array.from(bounds, ([from]) => from),
        spanEnd: Uint32Array.from(bounds, ([, to]) => to),
        hidden: [1, 2],
      },
      dPooled: random.normals(own.length * 2 * C),
    }
  }
  const terms = [
    term(0, sequences.slice(0, 2)),
    term(2, sequences.slice(2, 3)),
    term(2, sequences.slice(3, 6)),
  ]
  const made = await pooledRows(model, terms, 3)
  const rows = await flatRows(model, made)
  for (const row of [0, 1, 2]) {
    const expected = new Float64Array(rows[0].length)
    for (const { sequences: own, pooling, dPooled } of terms.filter((t) => t.row === row)) {
      const gradient = await gradientOf(own, (batch, sink) => {
        encodePooledGradient(model, batch, pooling, dPooled, sink)
        return undefined
      })
      gradient.forEach((value, j) => {
        expected[j] += value
      })
    }
    expect(relativeError(rows[row], expected), `row ${row}`).toBeLessThan(3e-6)
  }
  destroyBuffers(made.rows)
})

test('a raised signal stops between batches and leaves no rows behind', async () => {
  const abort = new AbortController()
  const attempt = lossRows(model, TERMS, COUNT, {
    batchSequences: 2,
    signal: abort.signal,
    onProgress: () => abort.abort(),
  })
  await expect(attempt).rejects.toMatchObject({ code: 'cancelled' })
  // The device still answers: nothing that was destroyed is waiting in a submission.
  const again = await lossRows(model, TERMS.slice(0, 1), 1)
  expect((await flatRows(model, again))[0].some((value) => value !== 0)).toBe(true)
  destroyBuffers(again.rows)
})
