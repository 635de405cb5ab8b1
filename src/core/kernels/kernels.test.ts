// Runs every kernel of the registry through the harness, and holds the registry to the folders on disk.

import { readdirSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkFiniteDifferences, checkKernel } from '../../testing/checkKernel.ts'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import type { Gpu } from '../gpu/device.ts'
import { KERNELS } from './index.ts'

let gpu: Gpu
beforeAll(async () => {
  gpu = await openTestDevice()
})
afterAll(() => gpu?.close())

describe.each(KERNELS.map((kernel) => [kernel.name, kernel] as const))('%s', (_name, kernel) => {
  test('equals its float64 reference, keeps inside its buffers, repeats bit for bit', async () => {
    expect(await checkKernel(gpu, kernel)).toEqual([])
  })
  test('reference gradient equals finite differences', () => {
    expect(checkFiniteDifferences(kernel)).toEqual([])
  })
  test('has three cases and a gradient check or a reason for none', () => {
    expect(kernel.cases.length).toBeGreaterThanOrEqual(3)
    expect(Boolean(kernel.finiteDifferences) || Boolean(kernel.noGradient)).toBe(true)
  })
})

test('every .wgsl file belongs to a listed kernel', () => {
  const folder = new URL('.', import.meta.url)
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.wgsl'))
  const names = files
    .filter((f) => !f.startsWith('shared'))
    .map((f) => f.replace(/^.*\//, '').replace('.wgsl', ''))
  expect(names.sort()).toEqual(KERNELS.map((kernel) => kernel.name).sort())
})
