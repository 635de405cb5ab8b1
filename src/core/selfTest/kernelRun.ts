// One case of one kernel on the device: seeded inputs, guard words inside every written binding, and the comparison
// with float64. Used by the harness of the tests and by the self-test on the user's own adapter.

import type { Gpu } from '../gpu/device.ts'
import type { Binding, HostArray, HostArrays, KernelCase, KernelSpec } from '../kernels/spec.ts'
import { decodeWeights, encodeWeights, type WeightType } from '../tensors/dtype.ts'
import { Random } from '../tensors/random.ts'

/** unit: uniform in ±1; offset: the same around 3, where E[x²]−mean² forms lose digits; outlier: one in 17 is ×20. */
export const REGIMES = ['unit', 'offset', 'outlier'] as const
export type Regime = (typeof REGIMES)[number]

const GUARD_WORDS = 64
const GUARD = 0xcafe1234
/** A float32 sum's rounding grows with the terms, not with the result, so cancelling regimes are given more. */
const SLACK: Record<Regime, number> = { unit: 1, offset: 12, outlier: 12 }
/** half a unit in the last place of the stored type, on writing */
const STORE_ROUNDING: Record<WeightType, number> = { f32: 0, bf16: 2 ** -8 * 1.01, f16: 2 ** -11 * 1.01 }

function draw(regime: Regime, random: Random): number {
  const value = random.uniform() * 2 - 1
  if (regime === 'offset') return value + 3
  if (regime === 'outlier' && random.uniform() < 1 / 17) return value * 20
  return value
}

/** Seeded inputs of a case in the precision that the device sees; weights rounded to their stored type. */
export function makeInputs(
  kernel: KernelSpec,
  test: KernelCase,
  regime: Regime,
  weights: WeightType,
): HostArrays {
  const inputs: HostArrays = {}
  const names = [...kernel.bindings.map((b) => b.name), ...(kernel.referenceOnly ?? [])]
  names.forEach((name, stream) => {
    const binding = kernel.bindings.find((b) => b.name === name)
    const size = test.sizes[name]
    if (size === undefined) throw new Error(`${kernel.name}: case «${test.name}» gives no size for ${name}`)
    const random = new Random(1234 + stream, stream)
    const next = () => draw(regime, random)
    const fill = test.fill?.[name]
    const isIndex = binding ? isWhole(binding) : fill !== undefined
    if (isIndex) inputs[name] = Uint32Array.from({ length: size }, (_, i) => (fill ? fill(i, next) : 0))
    else {
      const values = Float32Array.from({ length: size }, (_, i) => (fill ? fill(i, next) : next()))
      const type = binding?.kind === 'weight' ? weights : 'f32'
      inputs[name] = Float64Array.from(
        type === 'f32' ? values : decodeWeights(encodeWeights(values, type), type),
      )
    }
  })
  return rounded({ ...inputs, ...kernel.derive?.(test.params, inputs) })
}

function rounded(inputs: HostArrays): HostArrays {
  const out: HostArrays = {}
  for (const [name, values] of Object.entries(inputs))
    out[name] = values instanceof Uint32Array ? values : Float64Array.from(Float32Array.from(values))
  return out
}

const isWhole = ({ kind }: Binding) => kind === 'u32' || kind === 'atomic'

function toBytes(binding: Binding, values: HostArray, weights: WeightType): Uint8Array {
  if (isWhole(binding)) return new Uint8Array(Uint32Array.from(values).buffer)
  return encodeWeights(Float32Array.from(values), binding.kind === 'weight' ? weights : 'f32')
}

function fromBytes(binding: Binding, bytes: Uint8Array, weights: WeightType): HostArray {
  if (isWhole(binding)) return new Uint32Array(bytes.slice().buffer)
  return Float64Array.from(decodeWeights(bytes, binding.kind === 'weight' ? weights : 'f32'))
}

export interface KernelRun {
  outputs: HostArrays
  bytes: Record<string, Uint8Array>
  guardsBroken: string[]
}

/** Uploads, dispatches once, reads every written binding back. */
export async function runOnce(
  gpu: Gpu,
  kernel: KernelSpec,
  test: KernelCase,
  inputs: HostArrays,
  weights: WeightType,
): Promise<KernelRun> {
  const buffers: Record<string, GPUBuffer> = {}
  const lengths: Record<string, number> = {}
  for (const binding of kernel.bindings) {
    const bytes = toBytes(binding, inputs[binding.name], weights)
    lengths[binding.name] = bytes.byteLength
    const padded = Math.ceil(bytes.byteLength / 4) * 4
    const all = new Uint8Array(padded + GUARD_WORDS * 4)
    // An index read past the end of an index array leads just past what the others reach: a stray write that
    // went far away would be lost, one among the results could be overwritten.
    const isIndex = binding.kind === 'u32' && binding.access === 'read'
    const past = isIndex ? Math.max(0, ...inputs[binding.name]) + 1 : GUARD
    new Uint32Array(all.buffer, padded).fill(past)
    all.set(bytes)
    buffers[binding.name] = gpu.upload(all)
  }
  gpu.run(kernel, test.params, buffers, weights)
  const run: KernelRun = { outputs: {}, bytes: {}, guardsBroken: [] }
  for (const binding of kernel.bindings.filter((b) => b.access === 'read_write')) {
    const length = lengths[binding.name]
    const padded = Math.ceil(length / 4) * 4
    const all = new Uint8Array(await gpu.readBytes(buffers[binding.name], padded + GUARD_WORDS * 4))
    if (new Uint32Array(all.buffer, padded).some((word) => word !== GUARD))
      run.guardsBroken.push(binding.name)
    run.bytes[binding.name] = all.slice(0, length)
    run.outputs[binding.name] = fromBytes(binding, all.slice(0, length), weights)
  }
  for (const buffer of Object.values(buffers)) buffer.destroy()
  return run
}

/**
 * What is wrong with a run, one line a binding; empty when all is inside the kernel's tolerance. `expected` is float64,
 * NaN where the kernel leaves an element open.
 */
export function missesOf(
  kernel: KernelSpec,
  run: KernelRun,
  expected: HostArrays,
  regime: Regime,
  weights: WeightType,
): string[] {
  const misses = run.guardsBroken.map((name) => `wrote past the end of ${name}`)
  const { absolute, relative } = kernel.tolerance
  for (const binding of kernel.bindings.filter((b) => b.access === 'read_write')) {
    const ref = expected[binding.name]
    if (!ref) throw new Error(`${kernel.name}: the reference gives no ${binding.name}`)
    const store = binding.kind === 'weight' ? STORE_ROUNDING[weights] : 0
    const ours = run.outputs[binding.name]
    const miss =
      absolute === 0 && relative === 0
        ? compareExactly(ours, asStored(binding, ref, weights))
        : compare(ours, ref, absolute * SLACK[regime], relative * SLACK[regime] + store)
    if (miss) misses.push(`${binding.name} ${miss}`)
  }
  return misses
}

/** For results that are copies or roundings: the first element that is not the reference's, NaN for NaN. */
function compareExactly(ours: HostArray, ref: HostArray): string | undefined {
  const where = ours.findIndex((value: number, i: number) => !Object.is(value, ref[i]))
  return where < 0 ? undefined : `element ${where}: ${ours[where]}, expected exactly ${ref[where]}`
}

/** What the stored type makes of a float64 result. */
function asStored(binding: Binding, ref: HostArray, weights: WeightType): HostArray {
  return fromBytes(binding, toBytes(binding, ref, weights), weights)
}

/** The worst element against absolute·scale + relative·|ref|; undefined when all are inside. */
function compare(ours: HostArray, ref: HostArray, absolute: number, relative: number): string | undefined {
  let scale = 0
  for (const value of ref) if (Number.isFinite(value)) scale = Math.max(scale, Math.abs(value))
  let worst = 1
  let where = -1
  for (let i = 0; i < ref.length; i++) {
    if (Number.isNaN(ref[i])) continue // unspecified
    const allowed = absolute * scale + relative * Math.abs(ref[i])
    const error = Math.abs(ours[i] - ref[i])
    const ratio = error === 0 ? 0 : Number.isNaN(error) ? Number.POSITIVE_INFINITY : error / allowed
    if (ratio > worst) {
      worst = ratio
      where = i
    }
  }
  return where < 0
    ? undefined
    : `element ${where}: ${ours[where]}, expected ${ref[where]} (${worst.toFixed(1)} × the bound)`
}

/** Storage types a kernel is run with: all three where it touches weights. */
export function weightTypes(kernel: KernelSpec): WeightType[] {
  return kernel.bindings.some((b) => b.kind === 'weight') ? ['f32', 'bf16', 'f16'] : ['f32']
}
