// What is shipped for pages without WebGPU belongs to the zoo that is shipped: digests, and figures that cost no GPU
// computed anew from the files. `npm run geometry` makes it again.

import { readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { readProbes } from '../core/evaluate/probes.ts'
import { openCheckpoint } from '../core/files/checkpoint.ts'
import { type Directions, readDirections } from '../core/geometry/directionsFile.ts'
import { readFisherFile } from '../core/geometry/fisherFile.ts'
import { unpackRows } from '../core/geometry/packedRows.ts'
import { conflictOf } from '../core/session/conflict.ts'
import { digestOf } from '../core/session/cpu/cpuSession.ts'
import { dampedDiagonal, readFisher } from '../core/session/cpu/hostMetric.ts'
import { differenceOf, type HostWeights, readHostWeights } from '../core/session/cpu/hostWeights.ts'
import { readShelf, type ShelfEntry, type ShelfIndex } from '../core/session/cpu/shelf.ts'
import { probesDigest } from '../core/session/geometryFiles.ts'
import type { GeometryNumbers } from '../core/session/summary.ts'
import { nodeFolder } from './nodeFolder.ts'
import { SHIPPED } from './shippedGeometry.ts'

const root = resolve(import.meta.dirname, '../../public')
function dot(x: ArrayLike<number>, y: ArrayLike<number>): number {
  let sum = 0
  for (let p = 0; p < x.length; p++) sum += x[p] * y[p]
  return sum
}

/** Loaded by whoever has no WebGPU, so it must stay small. */
const MOST_BYTES = 14 * 10 ** 6

const folder = await nodeFolder(`${root}/geometry`)
const index: ShelfIndex = await readShelf(folder)

test('every setup that is to be shipped is there, and nothing else', async () => {
  expect(index.entries.map(({ settings }) => settings)).toEqual(
    SHIPPED.map(({ metric, damping, source, fisher, seed }) => ({ metric, damping, source, fisher, seed })),
  )
  const names = new Set(index.entries.flatMap(({ fisher, directions }) => [fisher, directions]))
  let bytes = 0
  for (const name of names) bytes += (await stat(`${root}/geometry/${name}`)).size
  expect(bytes).toBeLessThan(MOST_BYTES)
})

describe.each(SHIPPED.map((setup, i) => [setup.experts.map(({ id }) => id).join(' + '), setup, i] as const))(
  '%s',
  (_name, setup, i) => {
    const entry: ShelfEntry = index.entries[i]
    let directions: Directions<GeometryNumbers>
    let anchor: HostWeights
    let differences: Float64Array[]
    let metric: Float32Array
    const digests: string[] = []

    beforeAll(async () => {
      const weights: HostWeights[] = []
      for (const id of [setup.anchor, ...setup.experts.map((expert) => expert.id)]) {
        const checkpoint = await openCheckpoint(await nodeFolder(`${root}/zoo/${id}`))
        weights.push(await readHostWeights(checkpoint))
        digests.push(await digestOf(checkpoint, weights.at(-1)!))
      }
      const [base, ...experts] = weights
      anchor = base
      differences = experts.map((expert) => differenceOf(expert, anchor))
      const { layout } = anchor
      directions = await readDirections((await folder.file(entry.directions))!, layout.total)
      const owner = { name: setup.anchor, digest: digests[0], weights: layout.weights }
      const file = await readFisherFile((await folder.file(entry.fisher))!, owner)
      metric = dampedDiagonal(await readFisher(file, layout), setup.damping)
      const { labels, form, seed } = file.origin
      expect({ labels, form, seed }).toEqual({ ...setup.fisher, seed: setup.seed })
    })

    test('models and probes are those of the zoo', async () => {
      const probes = readProbes(JSON.parse(await readFile(`${root}/zoo/probes.json`, 'utf8')), 'probes.json')
      for (const about of [entry, directions]) {
        expect(about.settings).toEqual(entry.settings)
        expect([about.anchor, ...about.experts].map(({ digest }) => digest)).toEqual(digests)
      }
      expect(directions.probes).toBe(await probesDigest(probes))
    })

    test('lengths and angles of the experts’ differences', () => {
      directions.summary.gram.forEach((row, k) => {
        row.forEach((value, l) => {
          const own = differences[k].reduce((sum, x, p) => sum + x * metric[p] * differences[l][p], 0)
          expect(own / value).toBeCloseTo(1, 4)
        })
      })
      const { weights } = anchor.layout
      directions.summary.conflictByLayer.forEach((value, layer) => {
        const K = differences.length
        const gram = new Float64Array(K * K)
        for (const { start, count } of weights.filter((weight) => weight.layer === layer))
          for (let kl = 0; kl < K * K; kl++)
            for (let p = start; p < start + count; p++)
              gram[kl] += differences[Math.floor(kl / K)][p] * differences[kl % K][p]
        expect(conflictOf(gram, K)).toBeCloseTo(value!, 5)
      })
    })

    test('directions are orthonormal in the metric, and give the coordinates that are stated', () => {
      const { summary, known, rows, experts } = directions
      const stated = {
        own: summary.alignmentCoordinates,
        heldOut: summary.heldOutCoordinates,
        other: summary.otherCoordinates,
      }
      const turned = differences.map((delta) => delta.map((x, p) => x * Math.sqrt(metric[p])))
      const lengths = turned.map((x) => Math.sqrt(dot(x, x)))
      for (const set of ['own', 'heldOut', 'other'] as const) {
        const own = unpackRows(rows[set])
        const error = 2 ** (1 - rows[set].bits)
        own.forEach((x, i) => {
          expect(Math.abs(dot(x, x) - 1)).toBeLessThan(error)
          expect(Math.abs(dot(x, own[(i + 1) % own.length]))).toBeLessThan(error)
        })
        turned.forEach((x, k) => {
          own.forEach((v, i) => {
            expect(Math.abs(dot(x, v) - stated[set][k][i])).toBeLessThan(1e-4 * lengths[k])
            // By groups and as a whole: computed on the host and on the device.
            const sum = known[set].reduce((all, group) => all + group[k][i], 0)
            expect(Math.abs(sum - stated[set][k][i])).toBeLessThan(1e-6 * lengths[k])
          })
        })
      }
      expect(experts.length).toBe(differences.length)
      expect(summary.eigenvalues).toEqual([...summary.eigenvalues].sort((a, b) => b - a))
      expect(summary.rank).toBeGreaterThanOrEqual(rows.own.count)
    })
  },
)
