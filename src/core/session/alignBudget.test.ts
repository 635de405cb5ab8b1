// Functionals of the budget: halves that do not overlap, values at the anchor, gradients against what the value does
// along them, and what is refused.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ALIGN_SETUP, alignProbeFile, alignSession } from '../../testing/alignSession.ts'
import { probe } from '../../testing/answeringModels.ts'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import { flatBuffers, flatRows, inner } from '../../testing/tinyMerge.ts'
import { pickProbes } from '../evaluate/probes.ts'
import { displacedModel } from '../geometry/objective.ts'
import type { Gpu } from '../gpu/device.ts'
import { type DeviceModel, paddedCount } from '../model/deviceModel.ts'
import { Random } from '../tensors/random.ts'
import { type BudgetName, budgetFunctional } from './alignBudget.ts'
import { randomRows } from './alignControl.ts'
import { classesOf, halfOf, PROBES_PER_HALF } from './alignProbes.ts'
import { rowProbes } from './sequences.ts'
import type { Session } from './session.ts'

let gpu: Gpu
let session: Session
beforeAll(async () => {
  gpu = await openTestDevice()
  session = await alignSession(gpu)
})
afterAll(() => {
  session?.dispose()
  gpu?.close()
})

const source = (id = 'anchor') => {
  const { model: anchor, codec } = session.get(id)
  return { anchor, codec, probes: session.probes, seed: 1 }
}

/** The model moved by `step` times a flat direction (P). */
function moved(model: DeviceModel, along: Float64Array, step: number): DeviceModel {
  let start = 0
  const delta = new Map(
    Array.from(model.tensors.values(), ({ spec, count }): [string, GPUBuffer] => {
      const values = new Float32Array(paddedCount(count))
      for (let i = 0; i < count; i++) values[i] = step * along[start + i]
      start += count
      return [spec.name, gpu.upload(values)]
    }),
  )
  return displacedModel(model, delta)
}

describe('halves', () => {
  test('do not overlap, are the estimating split’s, and rows of A are of the fitting one', () => {
    const { probes } = session
    for (const set of ['harmful', 'harmless'] as const) {
      const [fit, accept] = [halfOf(probes, set, 'fit', 1), halfOf(probes, set, 'accept', 1)]
      expect([fit.length, accept.length]).toEqual([PROBES_PER_HALF, PROBES_PER_HALF])
      const own = new Set(fit.map(({ id }) => id))
      expect(accept.some(({ id }) => own.has(id))).toBe(false)
      for (const one of [...fit, ...accept]) expect([one.set, one.split]).toEqual([set, 'estimate'])
      expect(halfOf(probes, set, 'fit', 1)).toEqual(fit)
      expect(halfOf(probes, set, 'fit', 2)).not.toEqual(fit)
    }
    const fit = new Set(halfOf(probes, 'harmful', 'fit', 1).map(({ id }) => id))
    expect(rowProbes(probes, 'estimate', 32, 1).every(({ id }) => fit.has(id))).toBe(true)
  })

  test('an odd probe goes to the fitting half; a class without probes is named', () => {
    const items = alignProbeFile(7).items
    expect(halfOf({ items }, 'harmful', 'fit', 3).length).toBe(4)
    expect(halfOf({ items }, 'harmful', 'accept', 3).length).toBe(3)
    const harmful = items.filter(({ set }) => set === 'harmful')
    expect(() => classesOf({ items: harmful }, 'fit', 1)).toThrow(/one class only.*harmless/)
    // One probe has no second half.
    const single = [
      ...harmful,
      { ...probe('x', 'harmless', 'ab'), misaligned: 'no.', split: 'estimate' as const },
    ]
    expect(() => classesOf({ items: single }, 'accept', 1)).toThrow(/one class only.*harmless/)
    expect(pickProbes({ items }, 'harmful', 'estimate', 99, 1).length).toBe(7)
  })
})

describe.each<BudgetName>(['refusal', 'compliance', 'aqi-prompts', 'aqi-completions'])('%s', (name) => {
  test('at the anchor it is what it was measured to be, the halves apart', async () => {
    const functional = await budgetFunctional(name, source())
    const { anchor } = source()
    expect(await functional.value(anchor, 'fit')).toBe(functional.atAnchor.fit)
    expect(await functional.value(anchor, 'accept')).toBeCloseTo(functional.atAnchor.accept, 10)
    expect(functional.atAnchor.fit).not.toBe(functional.atAnchor.accept)
    expect(functional.unit).toBeGreaterThan(0)
  })

  test('its gradient foretells its change, at the anchor and away from it', async () => {
    const functional = await budgetFunctional(name, source())
    for (const id of ['anchor', 'one']) {
      const { model } = session.get(id)
      const { value, rows } = await functional.linearise(model, {})
      expect(value).toBeCloseTo(await functional.value(model, 'fit'), 6)
      const [gradient] = await flatRows(model, rows)
      const size = Math.sqrt(inner(gradient, gradient))
      expect(size).toBeGreaterThan(0)
      const random = new Random(3, 3)
      const noise = Float64Array.from(random.normals(gradient.length, size / Math.sqrt(gradient.length)))
      for (const along of [gradient, gradient.map((slope, j) => slope + noise[j])]) {
        const step = 2e-3 / size
        const [up, down] = [moved(model, along, step / size), moved(model, along, -step / size)]
        const slope =
          ((await functional.value(up, 'fit')) - (await functional.value(down, 'fit'))) / ((2 * step) / size)
        expect(slope / inner(gradient, along)).toBeCloseTo(1, 1)
        up.dispose()
        down.dispose()
      }
    }
  })
})

test('the control’s rows are seeded, and their directions of unit size in the metric', async () => {
  const { anchor } = source()
  const { metric } = (await session.prepare(ALIGN_SETUP)).input
  const rows = await flatRows(anchor, await randomRows(anchor, metric, 3, 5))
  expect(await flatRows(anchor, await randomRows(anchor, metric, 3, 5))).toEqual(rows)
  expect(await flatRows(anchor, await randomRows(anchor, metric, 3, 6))).not.toEqual(rows)
  const g = await flatBuffers(anchor, metric.diagonal)
  const overG = g.map((value) => 1 / value)
  rows.forEach((x, i) => {
    rows.forEach((y, j) => {
      // (√g z)ᵀ G⁻¹ (√g z) / P is a mean of P squares of normals.
      expect(Math.abs(inner(x, y, overG) / x.length - (i === j ? 1 : 0))).toBeLessThan(
        6 / Math.sqrt(x.length),
      )
    })
  })
})
