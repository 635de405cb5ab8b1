// The same geometry with and without a device: a tiny model in float32, its directions unpacked and packed.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ALIGN_SETUP, alignProbeFile } from '../../../testing/alignSession.ts'
import { nearCheckpoint } from '../../../testing/nearCheckpoint.ts'
import { openTestDevice } from '../../../testing/openTestDevice.ts'
import { MemorySource } from '../../files/source.ts'
import { type Directions, readDirections, writeDirections } from '../../geometry/directionsFile.ts'
import { readFisherFile } from '../../geometry/fisherFile.ts'
import { unpackRows } from '../../geometry/packedRows.ts'
import type { Gpu } from '../../gpu/device.ts'
import { Measures } from '../measures.ts'
import { Session, type Setup } from '../session.ts'
import type { GeometryNumbers } from '../summary.ts'
import { HostGeometry } from './hostGeometry.ts'
import { differenceOf, type HostWeights, layoutOf, readHostWeights, storedAs } from './hostWeights.ts'
import { type ExactDirections, exactDirections, knownCoordinates, makeDirections } from './makeDirections.ts'

const PROBES = alignProbeFile(80)

const SETUP: Setup = {
  ...ALIGN_SETUP,
  experts: [
    { id: 'one', weight: 0.75 },
    { id: 'two', weight: 0.25 },
  ],
  lambdaAlign: 4,
  source: 'path',
}

let gpu: Gpu
let session: Session
let exact: ExactDirections
let made: Directions<GeometryNumbers>
let packed: HostGeometry
let unpacked: HostGeometry
let anchor: HostWeights

beforeAll(async () => {
  gpu = await openTestDevice()
  session = new Session(gpu, PROBES)
  for (const [seed, id] of ['anchor', 'one', 'two'].entries())
    await session.load(id, await nearCheckpoint(seed + 1, 0.03))
  const entry = await session.files.exportFisher('anchor', SETUP.fisher, SETUP.seed)
  const fisher = await memorySource(entry.path, entry.chunks())
  exact = await exactDirections(session, SETUP, fisher, 16)
  made = await makeDirections(session, SETUP, fisher, { rank: 16 })
  anchor = await readHostWeights(session.get('anchor').checkpoint)
  const differences: Float64Array[] = []
  for (const id of ['one', 'two'])
    differences.push(differenceOf(await readHostWeights(session.get(id).checkpoint), anchor))
  const input = { layout: exact.layout, metric: exact.metric, numbers: made.summary, differences }
  const { layerCount } = session.get('anchor').checkpoint.config
  const single = (rows: readonly Float64Array[]) => rows.map((row) => Float32Array.from(row))
  const rows = {
    own: single(exact.rows.own),
    heldOut: single(exact.rows.heldOut),
    other: single(exact.rows.other),
  }
  unpacked = new HostGeometry({
    ...input,
    layerCount,
    rows,
    known: knownCoordinates(exact, differences, rows.own, layerCount),
  })
  packed = new HostGeometry({
    ...input,
    layerCount,
    rows: {
      own: unpackRows(made.rows.own),
      heldOut: unpackRows(made.rows.heldOut),
      other: unpackRows(made.rows.other),
    },
    known: made.known,
  })
})
afterAll(() => {
  session?.dispose()
  gpu?.close()
})

async function memorySource(name: string, chunks: AsyncIterable<Uint8Array>): Promise<MemorySource> {
  const parts: Uint8Array[] = []
  for await (const part of chunks) parts.push(part)
  return new MemorySource(new Uint8Array(Buffer.concat(parts)), name)
}

/** ‖x − y‖ / ‖y‖ */
function relative(x: ArrayLike<number>, y: ArrayLike<number>): number {
  let [gap, size] = [0, 0]
  for (let i = 0; i < y.length; i++) {
    gap += (x[i] - y[i]) ** 2
    size += y[i] ** 2
  }
  return Math.sqrt(gap / size)
}

/** δ of the device's merge (P), read back. */
async function deviceDelta(setup: Setup): Promise<Float64Array> {
  const model = await session.merge(setup)
  const out = new Float64Array(exact.layout.total)
  for (const { name, start, count } of exact.layout.weights) {
    const values = await gpu.readFloats(model.buffer(name), count)
    for (let p = 0; p < count; p++) out[start + p] = values[p] - anchor.values[start + p]
  }
  return out
}

const weights = SETUP.experts.map(({ weight }) => weight)

describe('the closed form', () => {
  for (const [lambdaAlign, rank] of [
    [0, 4],
    [4, 4],
    [1024, 16],
  ])
    test(`λ_align ${lambdaAlign}, rank ${rank}`, async () => {
      const device = await deviceDelta({ ...SETUP, lambdaAlign, rank })
      const whole = unpacked.merge(weights, lambdaAlign, rank)
      // θ is float32, a hundred times as large as δ here: what is read back is rounded to 1e-6 of δ.
      expect(relative(whole, device)).toBeLessThan(3e-6)
      expect(relative(packed.merge(weights, lambdaAlign, rank), whole)).toBeLessThan(1e-3)
      // Not because nothing is shielded.
      if (lambdaAlign > 0) expect(relative(packed.merge(weights, 0, rank), whole)).toBeGreaterThan(1e-2)
    })
})

test('a rank beyond the directions at hand is refused, not cut', () => {
  const { rows, ...input } = packed.input
  const few = new HostGeometry({ ...input, rows: { ...rows, own: rows.own.slice(0, 3) } })
  expect(() => few.merge(weights, 4, 4)).toThrow(/reach rank 3/)
  expect(few.merge(weights, 4, 3)).toEqual(packed.merge(weights, 4, 3))
  // All there are, and fewer than were asked for: nothing is missing.
  expect(() => packed.merge(weights, 4, made.summary.rank + 1)).not.toThrow()
})

describe('drift', () => {
  const merges: [string, Setup][] = [
    ['average', { ...SETUP, lambdaAlign: 0 }],
    ['shielded', { ...SETUP, lambdaAlign: 16 }],
    ['another method', { ...SETUP, method: 'ties', parameters: { density: 0.3 } }],
  ]
  test.each(merges)('%s', async (_name, setup) => {
    const found = await new Measures(session).drift(setup, await session.merge(setup))
    const delta = await deviceDelta(setup)
    for (const [geometry, bound] of [
      [unpacked, 1e-4],
      [packed, 2e-2],
    ] as const) {
      const own = geometry.drift(delta, SETUP.rank)
      const scale = Math.max(found.heldOut, 1e-3 * found.total)
      expect(Math.abs(own.total / found.total - 1)).toBeLessThan(1e-5)
      expect(Math.abs(own.own - found.own) / Math.max(found.own, 1e-3 * found.total)).toBeLessThan(bound)
      expect(Math.abs(own.heldOut - found.heldOut) / scale).toBeLessThan(bound)
      expect(Math.abs(own.otherSource - found.otherSource) / found.otherSource).toBeLessThan(bound)
      own.byLayer.forEach((value, l) => {
        expect(Math.abs(value - found.byLayer[l]) / scale).toBeLessThan(bound)
      })
    }
  })

  test('experts alike, or one that is the anchor, divide by nothing', () => {
    const [first] = unpacked.input.differences
    const none = new Float64Array(first.length)
    const known = Object.fromEntries(
      Object.entries(unpacked.input.known).map(([set, groups]) => [
        set,
        groups.map(([one, , ...own]) => [one, one, one.map(() => 0), ...own]),
      ]),
    ) as HostGeometry['input']['known']
    const odd = new HostGeometry({ ...unpacked.input, differences: [first, first, none], known })
    const wanted = unpacked.drift(first, 4)
    const found = odd.drift(first, 4)
    expect(found.heldOut / wanted.heldOut).toBeCloseTo(1, 6)
  })
})

describe('the file', () => {
  test('comes back', async () => {
    const source = await memorySource('d.safetensors', writeDirections(made))
    const back = await readDirections<GeometryNumbers>(source, exact.layout.total)
    expect(back).toEqual(made)
  })

  test('refuses another model, another kind and any changed byte', async () => {
    const source = await memorySource('d.safetensors', writeDirections(made))
    const bytes = await source.read(0, source.size)
    await expect(readDirections(source, exact.layout.total + 4)).rejects.toMatchObject({
      code: 'shape-mismatch',
    })
    const fisher = await session.files.exportFisher('anchor', SETUP.fisher, SETUP.seed)
    const other = await memorySource(fisher.path, fisher.chunks())
    await expect(readDirections(other, exact.layout.total)).rejects.toMatchObject({
      code: 'file-unsupported',
    })
    for (const at of [bytes.length - 1, Math.floor(bytes.length / 2)]) {
      const changed = bytes.slice()
      changed[at] ^= 1
      await expect(
        readDirections(new MemorySource(changed, 'd.safetensors'), exact.layout.total),
      ).rejects.toMatchObject({ code: 'file-malformed' })
    }
  })
})

test('weights come back as they are stored', () => {
  const values = Float64Array.of(1, 1 + 2 ** -9, -0.1)
  expect([...storedAs(values, 'bf16')]).toEqual([1, 1, -0.10009765625])
  expect([...storedAs(values, 'f32')]).toEqual([...Float32Array.from(values)])
  const layout = layoutOf([{ name: 'a', shape: [2, 2], role: 'matrix' }])
  const model = { layout, values: Float32Array.of(1, 2, 3, 4), type: 'f32' as const }
  expect([...differenceOf(model, { ...model, values: Float32Array.of(1, 1, 1, 1) })]).toEqual([0, 1, 2, 3])
})

test('the metric file of the anchor is what the device damps', async () => {
  const entry = await session.files.exportFisher('anchor', SETUP.fisher, SETUP.seed)
  const { checkpoint } = session.get('anchor')
  const owner = { name: checkpoint.name, weights: checkpoint.weights, digest: made.anchor.digest }
  await readFisherFile(await memorySource(entry.path, entry.chunks()), owner)
  const device = (await session.prepare(SETUP)).input.metric.diagonal
  for (const { name, start, count } of exact.layout.weights) {
    const values = await gpu.readFloats(device.get(name)!, count)
    values.forEach((value, p) => {
      expect(Math.abs(exact.metric[start + p] / value - 1)).toBeLessThan(1e-6)
    })
  }
})
