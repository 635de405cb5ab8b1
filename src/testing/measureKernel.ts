// How far a kernel is from its float64 reference over all cases, regimes and storage types, for docs/truth.json. The
// same inputs and the same runs as the harness of the tests; a run that the harness would refuse throws.

import type { Gpu } from '../core/gpu/device.ts'
import type { HostArray, KernelSpec } from '../core/kernels/spec.ts'
import { makeInputs, missesOf, REGIMES, runOnce, weightTypes } from '../core/selfTest/kernelRun.ts'
import type { WeightType } from '../core/tensors/dtype.ts'

export interface KernelTruth {
  kernel: string
  runs: number
  /** elements compared, over all runs */
  elements: number
  /** results are copies or roundings: every element must be the reference's own */
  isExact: boolean
  tolerance: { absolute: number; relative: number; why: string }
  /** greatest |ours − reference| over the greatest |reference| of the output, by how weights are stored */
  errors: Partial<Record<WeightType, { error: number; at: string }>>
}

/** Unspecified elements (NaN in the reference) do not count. */
export function largestError(ours: HostArray, reference: HostArray): { error: number; elements: number } {
  let scale = 0
  let worst = 0
  let elements = 0
  for (let i = 0; i < reference.length; i++) {
    const wanted = reference[i]!
    if (Number.isNaN(wanted)) continue
    elements++
    if (Number.isFinite(wanted)) scale = Math.max(scale, Math.abs(wanted))
    if (Object.is(ours[i], wanted)) continue
    const distance = Math.abs(ours[i]! - wanted)
    worst = Math.max(worst, Number.isNaN(distance) ? Number.POSITIVE_INFINITY : distance)
  }
  return { error: scale > 0 ? worst / scale : worst, elements }
}

export async function measureKernel(gpu: Gpu, kernel: KernelSpec): Promise<KernelTruth> {
  const { absolute, relative } = kernel.tolerance
  const isExact = absolute === 0 && relative === 0
  const truth: KernelTruth = {
    kernel: kernel.name,
    runs: 0,
    elements: 0,
    isExact,
    tolerance: kernel.tolerance,
    errors: {},
  }
  for (const test of kernel.cases)
    for (const regime of REGIMES)
      for (const weights of weightTypes(kernel)) {
        const inputs = makeInputs(kernel, test, regime, weights)
        const expected = kernel.reference(test.params, inputs)
        const run = await runOnce(gpu, kernel, test, inputs, weights)
        const misses = missesOf(kernel, run, expected, regime, weights)
        if (misses.length > 0)
          throw new Error(`${kernel.name}, ${test.name}, ${regime}: ${misses.join('; ')}`)
        truth.runs++
        for (const { name } of kernel.bindings.filter(({ access }) => access === 'read_write')) {
          const { error, elements } = largestError(run.outputs[name]!, expected[name]!)
          truth.elements += elements
          const known = truth.errors[weights]
          // What is stored exactly as it should be is not wrong by the rounding that it is meant to make.
          const counted = isExact ? 0 : error
          if (!known || counted > known.error)
            truth.errors[weights] = { error: counted, at: `${name} of ${test.name}, ${regime}` }
        }
      }
  return truth
}
