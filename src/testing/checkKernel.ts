// The one harness for all kernels: device against float64 reference in several data regimes and storage types,
// finite differences against the reference gradient, guard words inside every written binding, and the same
// bits on a second run. Returns what failed in words; an empty list is a pass.

import type { Gpu } from '../core/gpu/device.ts'
import type { KernelCase, KernelSpec } from '../core/kernels/spec.ts'
import {
  makeInputs,
  missesOf,
  REGIMES,
  type Regime,
  runOnce,
  weightTypes,
} from '../core/selfTest/kernelRun.ts'
import type { WeightType } from '../core/tensors/dtype.ts'
import { Random } from '../core/tensors/random.ts'

async function checkCase(
  gpu: Gpu,
  kernel: KernelSpec,
  test: KernelCase,
  regime: Regime,
  weights: WeightType,
): Promise<string[]> {
  const failures: string[] = []
  const label = `${kernel.name}, ${test.name}, ${regime}${weights === 'f32' ? '' : `, ${weights}`}`
  const inputs = makeInputs(kernel, test, regime, weights)
  const expected = kernel.reference(test.params, inputs)
  const first = await runOnce(gpu, kernel, test, inputs, weights)
  for (const miss of missesOf(kernel, first, expected, regime, weights)) failures.push(`${label}: ${miss}`)
  if (failures.length > 0) return failures
  // With few workgroups allowed in x, so that kernels which continue in y do.
  const limit = gpu.groupLimit
  if (kernel.wgsl.includes('num_workgroups')) gpu.groupLimit = 2
  const second = await runOnce(gpu, kernel, test, inputs, weights).finally(() => {
    gpu.groupLimit = limit
  })
  for (const [name, bytes] of Object.entries(first.bytes))
    if (bytes.some((byte, i) => byte !== second.bytes[name][i]))
      failures.push(`${label}: ${name} differs on a second run`)
  return failures
}

/** Central differences of the forward objective against the reference gradient, at up to 12 places a case. */
export function checkFiniteDifferences(kernel: KernelSpec): string[] {
  const failures: string[] = []
  for (const difference of kernel.finiteDifferences ?? []) {
    let checked = 0
    for (const test of kernel.cases) {
      const extra = difference.inputSize?.(test.params)
      let inputs = makeInputs(kernel, test, 'unit', 'f32')
      if (extra !== undefined) {
        const random = new Random(99, 7)
        inputs = {
          ...inputs,
          [difference.input]: Float64Array.from({ length: extra }, () => random.uniform() * 2 - 1),
        }
      }
      inputs = { ...inputs, ...kernel.derive?.(test.params, inputs) }
      if (Number.isNaN(difference.objective(test.params, inputs))) continue
      const gradient = kernel.reference(test.params, inputs)[difference.output]
      const moved = Float64Array.from(inputs[difference.input])
      const scale = Math.max(...Array.from(gradient, Math.abs))
      for (let probe = 0; probe < 12; probe++) {
        const i = Math.floor(((probe * 0.618034) % 1) * Math.min(moved.length, gradient.length))
        if (Number.isNaN(gradient[i])) continue
        const at = (step: number) => {
          moved[i] = inputs[difference.input][i] + step
          const value = difference.objective(test.params, { ...inputs, [difference.input]: moved })
          moved[i] = inputs[difference.input][i]
          return value
        }
        const slope = (at(1e-5) - at(-1e-5)) / 2e-5
        // Places that no forward element reads have no slope but may keep old contents.
        if (slope === 0 && gradient[i] === inputs[difference.output]?.[i]) continue
        checked++
        if (!(Math.abs(slope - gradient[i]) <= 1e-6 * scale + 1e-6 * Math.abs(slope)))
          failures.push(
            `${kernel.name}, ${test.name}: d/d${difference.input}[${i}] is ${slope} by differences, ${gradient[i]} by the reference`,
          )
      }
    }
    if (checked === 0)
      failures.push(`${kernel.name}: no finite difference of ${difference.input} was checked`)
  }
  return failures
}

/** All cases, regimes and storage types of one kernel; stops after `maxFailures`. */
export async function checkKernel(gpu: Gpu, kernel: KernelSpec, maxFailures = 3): Promise<string[]> {
  const failures: string[] = []
  for (const test of kernel.cases)
    for (const regime of REGIMES)
      for (const weights of weightTypes(kernel)) {
        failures.push(...(await checkCase(gpu, kernel, test, regime, weights)))
        if (failures.length >= maxFailures) return failures
      }
  return failures
}
