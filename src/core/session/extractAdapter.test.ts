import { beforeAll, describe, expect, it } from 'vitest'
import { movedCheckpoint, nearCheckpoint } from '../../testing/nearCheckpoint.ts'
import { expectFailure } from '../../testing/tinyCheckpoint.ts'
import { applyAdapter } from '../files/adapter/applyAdapter.ts'
import type { Checkpoint } from '../files/checkpoint.ts'
import type { ExportEntry } from '../files/exporter.ts'
import { type CheckpointFolder, memoryFolder, readJson } from '../files/folder.ts'
import { readElements } from '../files/storedWeight.ts'
import { type ExtractOptions, extractAdapter } from './extractAdapter.ts'

let base: Checkpoint
let tuned: Checkpoint
beforeAll(async () => {
  base = await nearCheckpoint(1, 0)
  tuned = await nearCheckpoint(2, 0.1)
})

async function folderOf(entries: readonly ExportEntry[]): Promise<CheckpointFolder> {
  const files = new Map<string, Uint8Array>()
  for (const { path, byteLength, chunks } of entries) {
    const parts: Uint8Array[] = []
    for await (const chunk of chunks()) parts.push(chunk)
    const bytes = new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer())
    expect(bytes.length).toBe(byteLength)
    files.set(path, bytes)
  }
  return memoryFolder('extracted', files)
}

const valuesOf = (checkpoint: Checkpoint, name: string) => readElements(checkpoint.stored.get(name)!)

/** ‖a − b‖_F in float64. */
async function distance(a: Checkpoint, b: Checkpoint, name: string): Promise<number> {
  const [x, y] = [await valuesOf(a, name), await valuesOf(b, name)]
  return Math.sqrt(x.reduce((sum, value, i) => sum + (value - y[i]) ** 2, 0))
}

const extract = (options: Partial<ExtractOptions> = {}) =>
  extractAdapter(base, tuned, { rank: 2, ...options })

describe('a LoRA out of two models', () => {
  it.each([1, 2, 5])('at rank %d leaves out the least that the rank allows', async (rank) => {
    const found = await extract({ rank })
    expect(found.tensors.length).toBe(base.weights.filter(({ shape }) => shape.length === 2).length)
    const adapted = await applyAdapter(base, await folderOf(found.entries))
    for (const { name, difference, error, bestError } of found.tensors) {
      expect(Math.abs(error - bestError!), name).toBeLessThan(1e-6)
      // Measured again on what a reader of the written folder gets.
      const total = await distance(base, tuned, name)
      expect(difference).toBeCloseTo(total, 5)
      const left = await distance(adapted, tuned, name)
      expect(Math.abs(left / total - bestError!), name).toBeLessThan(1e-6)
      expect(error).toBeGreaterThan(0.01)
    }
    expect(found.saved.length).toBe(5)
    for (const name of found.saved) expect(await distance(adapted, tuned, name)).toBe(0)
  })

  it('is the tuned model where the rank is full', async () => {
    const found = await extract({ rank: 8 })
    const adapted = await applyAdapter(base, await folderOf(found.entries))
    for (const { name } of base.weights) {
      const [a, b] = [await valuesOf(adapted, name), await valuesOf(tuned, name)]
      a.forEach((value, i) => {
        expect(Math.abs(value - b[i])).toBeLessThan(1e-6)
      })
    }
  })

  it('by energy has ranks of its own for every matrix', async () => {
    const found = await extract({ rank: 8, energy: 0.9 })
    const folder = await folderOf(found.entries)
    const ranks = new Set(found.tensors.map(({ rank }) => rank))
    expect(ranks.size).toBeGreaterThan(1)
    for (const { error } of found.tensors) expect(error ** 2).toBeLessThanOrEqual(0.1 + 1e-9)
    const config = await readJson(folder, 'adapter_config.json')
    expect(Object.keys(config.rank_pattern as object).length).toBeGreaterThan(0)
    expect(config.rank_pattern).toEqual(config.alpha_pattern)
    expect(config.target_modules).toEqual(
      expect.arrayContaining(['qkv_proj', 'o_proj', 'gate_up_proj', 'down_proj', 'embed_tokens', 'lm_head']),
    )
    const adapted = await applyAdapter(base, folder)
    for (const { name, error, difference } of found.tensors)
      expect(Math.abs((await distance(adapted, tuned, name)) / difference - error)).toBeLessThan(1e-6)
  })

  it('of kind directions changes nothing yet and spans what the difference does', async () => {
    const [found, whole] = [await extract({ start: 'directions' }), await extract()]
    const folder = await folderOf(found.entries)
    const adapted = await applyAdapter(base, folder)
    for (const { name, error } of found.tensors) {
      expect(error).toBe(1)
      expect(await distance(adapted, base, name)).toBe(0)
    }
    const { openAdapterFile } = await import('../files/adapter/adapterFile.ts')
    const [directions, difference] = [
      await openAdapterFile(folder, undefined),
      await openAdapterFile(await folderOf(whole.entries), undefined),
    ]
    for (const [i, { down, isEmbedding }] of directions.modules.entries()) {
      if (isEmbedding) continue
      const columns = down.shape[1]
      const [a, b] = [await readElements(down), await readElements(difference.modules[i].down)]
      for (let k = 0; k < 2; k++) {
        const [unit, scaled] = [
          a.subarray(k * columns, (k + 1) * columns),
          b.subarray(k * columns, (k + 1) * columns),
        ]
        expect(Math.hypot(...unit)).toBeCloseTo(1, 6)
        const along = unit.reduce((sum, value, j) => sum + value * scaled[j], 0)
        expect(Math.abs(along) / Math.hypot(...scaled)).toBeCloseTo(1, 6)
      }
    }
  })

  it('in half precision says what is lost by rounding', async () => {
    const found = await extract({ rank: 8, type: 'bf16' })
    const adapted = await applyAdapter(base, await folderOf(found.entries))
    for (const { name, error, bestError, difference } of found.tensors) {
      expect(bestError).toBeLessThan(1e-6)
      expect(error).toBeGreaterThan(1e-4)
      expect(Math.abs((await distance(adapted, tuned, name)) / difference - error)).toBeLessThan(1e-6)
    }
  })

  it('names single modules where not all of a kind differ, and leaves embeddings when told to', async () => {
    const changed = 'model.layers.1.mlp.down_proj.weight'
    const one = await movedCheckpoint('one', (values, tensor) =>
      values.map(
        (value, i) => value + (tensor === changed || tensor === 'lm_head.weight' ? 0.1 * ((i % 5) - 2) : 0),
      ),
    )
    const found = await extractAdapter(base, one, { rank: 4, hasEmbeddings: false })
    expect(found.tensors.map(({ name }) => name)).toEqual([changed])
    expect(found.leftOut).toEqual(['lm_head.weight'])
    const config = await readJson(await folderOf(found.entries), 'adapter_config.json')
    expect(config.target_modules).toEqual(['model.layers.1.mlp.down_proj'])
    expect(config.modules_to_save).toBeNull()
  })

  it('refuses models that do not differ, or are not of one kind', async () => {
    await expectFailure(extractAdapter(base, base, { rank: 1 }), 'request-invalid')
    const other = await nearCheckpoint(2, 0.1, { change: { hidden_size: 16 } })
    await expectFailure(extractAdapter(base, other, { rank: 1 }), 'shape-mismatch')
    await expectFailure(extract({ signal: AbortSignal.abort() }), 'cancelled')
  })
})
