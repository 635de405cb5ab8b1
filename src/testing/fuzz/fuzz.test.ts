import { describe, expect, it } from 'vitest'
import { EngineError } from '../../core/errors.ts'
import { countAllocated } from './memory.ts'
import { mutationOf, runOne, runTarget } from './runner.ts'
import type { FuzzTarget } from './target.ts'
import { fuzzTargets } from './targets.ts'

/** A share of what `npm run fuzz` runs; other numbers than its first ones would find as little twice. */
const COUNT = 300

const targets = await fuzzTargets()

describe('damaged files are read or refused', () => {
  it('has a target for every parser', () => {
    expect(targets.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'adapter',
        'config',
        'gguf',
        'link',
        'mlx',
        'onnx',
        'safetensors',
        'tokenizer',
        'torch',
      ]),
    )
  })

  it.each(targets.map((target) => [target.name, target] as const))('%s', async (_, target) => {
    const run = await runTarget(target, 0, COUNT)
    expect(run.failures.map(({ seed, message }) => `seed ${seed}: ${message}`)).toEqual([])
    expect(run.mutations).toBe(COUNT)
    expect(run.refused).toBeGreaterThan(COUNT / 10)
  })
})

describe('the runner itself', () => {
  const seeds = [
    new TextEncoder().encode('{"layers":[1,2,{"name":"x"}],"size":12}'),
    new Uint8Array(40).fill(7),
  ]
  const of = (run: FuzzTarget['run']): FuzzTarget => ({ name: 'made', seeds: () => seeds, run })

  it('finds errors that are not typed, much memory, and good files refused', async () => {
    const plain = await runTarget(
      of(async (bytes) => {
        if (bytes[0] === 0x7b) JSON.parse(new TextDecoder().decode(bytes)).layers[2].name.trim()
      }),
      0,
      400,
    )
    expect(plain.failures[0].message).toMatch(/threw (SyntaxError|TypeError)/)
    const large = await runOne(
      of(async () => {
        new Float32Array(20 * 2 ** 20)
      }),
      seeds[0],
    )
    expect(large.failure).toMatch(/asked for 8388\d+ bytes above its size/)
    const copies = await runOne(
      of(async () => {
        const one = new Uint8Array(2 ** 20)
        for (let i = 0; i < 70; i++) one.slice()
      }),
      seeds[0],
    )
    expect(copies.failure).toMatch(/asked for/)
    let held: number[][] = []
    const heap = await runOne(
      of(async () => {
        // Much more than the bound: garbage of earlier tests that goes meanwhile hides as much growth.
        // In parts, which nothing is copied for; the last time's are held until these are there.
        held = Array.from({ length: 40 }, () => new Array<number>(1e6).fill(7))
      }),
      seeds[0],
    )
    expect(held.reduce((sum, part) => sum + part.length, 0)).toBe(40e6)
    held = []
    expect(heap.failure).toMatch(/grew the heap/)
    const refused = await runTarget(
      of(async () => {
        throw new EngineError('file-malformed', 'no')
      }),
      0,
      5,
    )
    expect(refused.failures.map(({ message }) => message)).toEqual(['every good file was refused'])
  })
  it('makes the same file of the same number, and many different ones', () => {
    const made = new Set<string>()
    for (let seed = 0; seed < 500; seed++) {
      const bytes = mutationOf('made', seeds, seed)
      expect(mutationOf('made', seeds, seed)).toEqual(bytes)
      made.add(bytes.join())
    }
    expect(made.size).toBeGreaterThan(400)
  })

  it('leaves constructors as they were', async () => {
    const before = [Uint8Array, ArrayBuffer, Uint8Array.prototype.slice]
    const { allocated } = await countAllocated(async () => {
      Float64Array.from([1, 2, 3]).slice(1)
    })
    expect([Uint8Array, ArrayBuffer, Uint8Array.prototype.slice]).toEqual(before)
    expect(allocated.buffers).toBe(24 + 16)
  })
})
