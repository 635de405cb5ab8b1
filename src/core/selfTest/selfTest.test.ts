// The self-test on the adapter of the tests: it passes with the shipped vectors, and notices a driver that is wrong.

import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { watchBuffers } from '../../testing/liveBuffers.ts'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import { expectFailure } from '../../testing/tinyCheckpoint.ts'
import { MemorySource } from '../files/source.ts'
import type { Gpu } from '../gpu/device.ts'
import { KERNELS } from '../kernels/index.ts'
import { FAMILIES } from '../model/families/registry.ts'
import { selfTest } from './selfTest.ts'
import { makeVectors, readVectors, VECTOR_FILE, type Vectors, writeVectors } from './vectors.ts'

let gpu: Gpu
let bytes: Uint8Array
let vectors: Vectors
beforeAll(async () => {
  gpu = await openTestDevice()
  bytes = new Uint8Array(await readFile(resolve(import.meta.dirname, '../../../public', VECTOR_FILE)))
  vectors = await readVectors(new MemorySource(bytes, VECTOR_FILE))
})
afterAll(() => gpu?.close())

const only = (kernels: readonly string[], families: readonly string[] = []): Vectors => ({
  kernels: vectors.kernels.filter(({ kernel }) => kernels.includes(kernel.name)),
  models: vectors.models.filter(({ family }) => families.includes(family)),
})

describe('the shipped vectors', () => {
  test('are those of this build’s kernels: `npm run vectors` writes them anew', () => {
    const fresh = makeVectors()
    expect(vectors.kernels).toHaveLength(fresh.kernels.length)
    for (const [i, { kernel, test, weights, inputs, expected }] of fresh.kernels.entries()) {
      const label = `${kernel.name}, ${test.name}, ${weights}`
      expect(vectors.kernels[i].inputs, label).toBe(inputs)
      for (const [name, values] of Object.entries(vectors.kernels[i].expected)) {
        const wrong = values.findIndex((value: number, j: number) => {
          const difference = Math.abs(value - expected[name][j])
          return !(difference <= 1e-6 * Math.abs(value)) && !Object.is(value, Math.fround(expected[name][j]))
        })
        expect(wrong, `${label}: ${name}`).toBe(-1)
      }
    }
    expect(vectors.models.map(({ family }) => family).sort()).toEqual(
      FAMILIES.map(({ modelType }) => modelType).sort(),
    )
    for (const [i, model] of fresh.models.entries())
      for (const [name, slope] of model.slopes)
        expect(vectors.models[i].slopes.get(name), `${model.family}: ${name}`).toBeCloseTo(slope, 5)
  })

  test('of other kernels are refused, not passed over', async () => {
    const text = new TextDecoder('latin1').decode(bytes)
    const renamed = text.replace('"rmsNorm/0/f32/y"', '"rmsNorm/0/f32/z"')
    expect(renamed).not.toBe(text)
    const other = Uint8Array.from(renamed, (character) => character.charCodeAt(0))
    const failure = await expectFailure(readVectors(new MemorySource(other, VECTOR_FILE)), 'check-failed')
    expect(failure.message).toContain('rmsNorm/0/f32/y')
    const pieces: Uint8Array[] = []
    for await (const piece of writeVectors({ ...vectors, models: vectors.models.slice(1) }))
      pieces.push(piece)
    const fewer = new MemorySource(new Uint8Array(Buffer.concat(pieces)), VECTOR_FILE)
    expect((await expectFailure(readVectors(fewer), 'check-failed')).message).toContain('of 4 models')
  })
})

describe('the self-test', () => {
  test('passes here, kernel by kernel and family by family, and leaves nothing behind', async () => {
    const live = watchBuffers(gpu)
    const seen: string[] = []
    const result = await selfTest(gpu, vectors, { onRow: ({ name }) => void seen.push(name) })
    expect(result.rows.filter(({ failed }) => failed > 0)).toEqual([])
    expect(result.passed).toBe(true)
    expect(seen).toHaveLength(new Set(KERNELS.map(({ name }) => name)).size + vectors.models.length)
    expect([live.made(), live.taken()]).toEqual([[], 0])
    live.stop()
  })

  test('fails the kernel that is wrong, and no other', async () => {
    const broken = only(['rmsNorm', 'columnSum'])
    // Under a name of its own: pipelines are kept by name.
    broken.kernels = broken.kernels.map((vector) => {
      const { kernel } = vector
      if (kernel.name !== 'rmsNorm') return vector
      const wgsl = kernel.wgsl.replaceAll('inverseSqrt', 'sqrt')
      return { ...vector, kernel: { ...kernel, name: 'rmsNormWrong', wgsl } }
    })
    const result = await selfTest(gpu, broken)
    expect(result.passed).toBe(false)
    const [bad, good] = ['rmsNormWrong', 'columnSum'].map(
      (name) => result.rows.find((row) => row.name === name)!,
    )
    expect(bad.failed).toBe(bad.checks)
    expect(bad.misses[0]).toMatch(/expected .* × the bound/)
    expect(good.failed).toBe(0)
  })

  test('fails a shader that the driver refuses, and a vector that was changed', async () => {
    const changed = only(['columnSum'], ['llama'])
    changed.kernels = changed.kernels.map((vector) => ({
      ...vector,
      kernel: { ...vector.kernel, name: 'columnSumRefused', wgsl: `${vector.kernel.wgsl}\nnot wgsl` },
    }))
    changed.models = changed.models.map((model) => ({ ...model, logits: model.logits.map((v) => v * 1.001) }))
    const result = await selfTest(gpu, changed)
    expect(result.rows.map(({ failed }) => failed > 0)).toEqual([true, true])
    expect(result.rows[1].misses[0]).toContain('logits')
  })

  test('stops when told', async () => {
    const signal = AbortSignal.abort()
    await expectFailure(selfTest(gpu, vectors, { signal }), 'cancelled')
  })
})
