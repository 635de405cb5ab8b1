// Merges by reference: which methods may be merged a tensor at a time, and what is refused without a device. That
// references are right is golden.test.ts's business; that whole merges equal the device's, cpuSession.test.ts's.

import { describe, expect, it, test } from 'vitest'
import { nodeFolder } from '../../../cli/nodeFolder.ts'
import { readMergeVectors, referenceInput } from '../../evaluate/verifyMerge.ts'
import { missingWithoutDevice } from '../../merge/declaration.ts'
import { DECLARATIONS } from '../../merge/methods/declarations.ts'
import { REFERENCED, referenceOf } from '../../merge/methods/references.ts'
import { mergeOnHost, WHOLE_MODEL } from './hostMerge.ts'
import { type HostWeights, layoutOf } from './hostWeights.ts'

const golden = new URL('../../merge/golden', import.meta.url).pathname
const vectors = await readMergeVectors(await nodeFolder(golden))

describe('a tensor at a time', () => {
  test.each(REFERENCED.map((id) => [id]))('%s', async (id) => {
    const reference = await referenceOf(id)
    const differing = vectors.cases
      .filter(({ method }) => method === id)
      .filter((merge) => {
        const input = referenceInput(vectors, merge)
        const whole = reference(input)
        return input.tensors.some((tensor) => {
          const own = reference({ ...input, tensors: [tensor] }).get(tensor.name)!
          return whole.get(tensor.name)!.some((value, i) => !Object.is(value, own[i]))
        })
      })
    expect(differing.length > 0).toBe(WHOLE_MODEL.includes(id))
  })
})

const layout = layoutOf([
  { name: 'model.embed_tokens.weight', shape: [4, 3], role: 'embedding' },
  { name: 'model.layers.0.self_attn.o_proj.weight', shape: [3, 3], role: 'matrix', layer: 0 },
])
const model = (value: (i: number) => number): HostWeights => ({
  layout,
  values: Float32Array.from({ length: layout.total }, (_, i) => value(i)),
  type: 'f32',
})
const base = model((i) => i / 8)
const merge = {
  method: 'linear',
  base,
  models: [model((i) => i / 8 + 1), model((i) => i / 8 - 3)],
  weights: [0.75, 0.25],
  parameters: {},
  layerCount: 1,
  seed: 1,
  references: {},
}

describe('mergeOnHost', () => {
  it('places every tensor', async () => {
    const seen: number[] = []
    const merged = await mergeOnHost({ ...merge, onProgress: (done) => seen.push(done) })
    // 0.75 · 1 − 0.25 · 3 = 0
    merged.forEach((value, i) => {
      expect(value).toBeCloseTo(base.values[i], 12)
    })
    expect(seen).toEqual([1, 2])
  })

  it('stops', async () => {
    const stop = new AbortController()
    const running = mergeOnHost({ ...merge, signal: stop.signal, onProgress: () => stop.abort() })
    await expect(running).rejects.toMatchObject({ code: 'cancelled' })
  })

  it('refuses what only a device can give, by name', async () => {
    const refused = DECLARATIONS.filter((declaration) => missingWithoutDevice(declaration))
    expect(refused.map(({ id }) => id)).toEqual(['fisher_average', 'led', 'regmean'])
    for (const { id } of refused)
      await expect(mergeOnHost({ ...merge, method: id })).rejects.toMatchObject({ code: 'gpu-unavailable' })
  })

  it('refuses unknown methods, counts, parameters and models that are not named', async () => {
    const codes = { code: 'request-invalid' }
    await expect(mergeOnHost({ ...merge, method: 'none' })).rejects.toMatchObject(codes)
    await expect(mergeOnHost({ ...merge, method: 'slerp' })).rejects.toThrow(/merges 1 to 1/)
    await expect(mergeOnHost({ ...merge, parameters: { t: 1 } })).rejects.toThrow(/unknown/)
    await expect(mergeOnHost({ ...merge, method: 'safemerge' })).rejects.toThrow(/unaligned/)
  })
})
