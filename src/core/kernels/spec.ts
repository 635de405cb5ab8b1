// What a kernel is, as data: its WGSL, parameters, bindings and float64 reference. The generic harness
// (src/testing/checkKernel.ts) runs every kernel listed in kernels/index.ts from this description alone.
//
// The `.wgsl` file holds only functions. The `Params` struct, the bindings and the four-wide accessors are
// written by `wgslHeader` from the spec, so that no field or binding order exists twice, and are appended
// after the kernel, so that line numbers in compiler messages are the file's own.

import type { WeightType } from '../tensors/dtype.ts'

/**
 * Kinds of binding:
 * - `f32`, `u32`: plain arrays, indexed by element.
 * - `atomic`: u32 that threads count in together; always `read_write`. The same buffer may be bound as `u32` elsewhere.
 * - `vec`: float32 read through `NAME4(row, k, n)`, four elements row+k … row+k+3 with zeros from k = n on,
 *   and written through `put_NAME4(row, k, n, value)`.
 * - `weight`: the same accessors over stored f32, f16 or bf16, plus `NAME1(i)`; at most one type per dispatch.
 */
export type BindingKind = 'f32' | 'u32' | 'atomic' | 'vec' | 'weight'

export interface Binding {
  readonly name: string
  readonly kind: BindingKind
  readonly access: 'read' | 'read_write'
}

export type Params = Readonly<Record<string, number>>
export type HostArray = Float64Array | Uint32Array
export type HostArrays = Record<string, HostArray>

export interface KernelCase {
  /** shape and regime in words, shown when it fails */
  readonly name: string
  readonly params: Params
  /** elements of every binding */
  readonly sizes: Readonly<Record<string, number>>
  /** values other than the regime's, for index arrays and probabilities */
  readonly fill?: Readonly<Record<string, (index: number, random: () => number) => number>>
}

export interface FiniteDifference {
  /** binding of the forward input that is moved */
  readonly input: string
  /** binding of this kernel that holds the gradient */
  readonly output: string
  /** elements of `input` when it is not a binding of this kernel */
  readonly inputSize?: (params: Params) => number
  /** ⟨upstream, forward(inputs)⟩ in float64; NaN where a case does not apply (accumulation, squares) */
  readonly objective: (params: Params, inputs: HostArrays) => number
}

export interface KernelSpec {
  readonly name: string
  readonly wgsl: string
  /** uniform fields in order; all four bytes wide */
  readonly params: readonly (readonly [name: string, type: 'u32' | 'f32'])[]
  readonly bindings: readonly Binding[]
  /** threads in x, y, z for these parameters; the dispatcher divides by the workgroup size */
  readonly threads: (params: Params) => readonly [number, number, number]
  readonly workgroupSize: readonly [number, number, number]
  /** true when every row offset is a multiple of four elements, so that `vec` loads are single loads */
  readonly isAligned?: (params: Params) => boolean
  /** names in `sizes` that only the reference reads */
  readonly referenceOnly?: readonly string[]
  /** inputs that must agree with others, e.g. a saved norm; replaces the random ones */
  readonly derive?: (params: Params, inputs: HostArrays) => HostArrays
  /** new contents of every `read_write` binding, in float64 */
  readonly reference: (params: Params, inputs: HostArrays) => HostArrays
  /** |ours − ref| ≤ absolute·scale + relative·|ref|, where scale is the largest |ref| of the binding */
  readonly tolerance: { readonly absolute: number; readonly relative: number; readonly why: string }
  readonly cases: readonly KernelCase[]
  readonly finiteDifferences?: readonly FiniteDifference[]
  /** why there is no gradient check: forward of a checked pair, or not differentiable */
  readonly noGradient?: string
}

/** Pipeline variant: how weights are stored, and whether rows start at multiples of four elements. */
export interface KernelVariant {
  readonly weights: WeightType
  readonly aligned: boolean
}

const BUILTIN_ORDER = '@group(0) @binding'

function vecAccessors(binding: Binding, slot: number, aligned: boolean): string {
  const { name, access } = binding
  const declare = (type: string) =>
    `${BUILTIN_ORDER}(${slot}) var<storage, ${access}> ${name}: array<${type}>;`
  if (aligned) {
    const write = `fn put_${name}4(row_: u32, k_: u32, n_: u32, value_: vec4f) { ${name}[(row_ + k_) >> 2u] = value_; }`
    return [
      declare('vec4f'),
      `fn ${name}4(row_: u32, k_: u32, n_: u32) -> vec4f { return ${name}[(row_ + k_) >> 2u]; }`,
      access === 'read_write' ? write : '',
    ].join('\n')
  }
  const lane = (j: number) => `if (k_ + ${j}u < n_) { lanes_[${j}] = ${name}[row_ + k_ + ${j}u]; }`
  const put = (j: number) => `if (k_ + ${j}u < n_) { ${name}[row_ + k_ + ${j}u] = value_[${j}]; }`
  return [
    declare('f32'),
    `fn ${name}4(row_: u32, k_: u32, n_: u32) -> vec4f { var lanes_ = vec4f(); ${[0, 1, 2, 3].map(lane).join(' ')} return lanes_; }`,
    access === 'read_write'
      ? `fn put_${name}4(row_: u32, k_: u32, n_: u32, value_: vec4f) { ${[0, 1, 2, 3].map(put).join(' ')} }`
      : '',
  ].join('\n')
}

function weightAccessors(binding: Binding, slot: number, variant: KernelVariant): string {
  const { name, access } = binding
  if (variant.weights === 'f32') {
    const one = variant.aligned ? `${name}[i_ >> 2u][i_ & 3u]` : `${name}[i_]`
    return `${vecAccessors(binding, slot, variant.aligned)}\nfn ${name}1(i_: u32) -> f32 { return ${one}; }`
  }
  const type = variant.weights
  const declare = (t: string) => `${BUILTIN_ORDER}(${slot}) var<storage, ${access}> ${name}: array<${t}>;`
  const one = (at: string) => `widen_${type}(select(${at} & 0xffffu, ${at} >> 16u, (i_ & 1u) == 1u))`
  if (!variant.aligned) {
    if (access === 'read_write') throw new Error(`${name}: packed weights are written four at a time`)
    const lane = (j: number) => `if (k_ + ${j}u < n_) { lanes_[${j}] = ${name}1(row_ + k_ + ${j}u); }`
    return [
      declare('u32'),
      `fn ${name}1(i_: u32) -> f32 { return ${one(`${name}[i_ >> 1u]`)}; }`,
      `fn ${name}4(row_: u32, k_: u32, n_: u32) -> vec4f { var lanes_ = vec4f(); ${[0, 1, 2, 3].map(lane).join(' ')} return lanes_; }`,
    ].join('\n')
  }
  const write = `fn put_${name}4(row_: u32, k_: u32, n_: u32, value_: vec4f) { ${name}[(row_ + k_) >> 2u] = vec2u(
    narrow_${type}(value_.x) | (narrow_${type}(value_.y) << 16u), narrow_${type}(value_.z) | (narrow_${type}(value_.w) << 16u)); }`
  return [
    declare('vec2u'),
    `fn ${name}4(row_: u32, k_: u32, n_: u32) -> vec4f { let word_ = ${name}[(row_ + k_) >> 2u]; return vec4f(
      widen_${type}(word_.x & 0xffffu), widen_${type}(word_.x >> 16u), widen_${type}(word_.y & 0xffffu), widen_${type}(word_.y >> 16u)); }`,
    `fn ${name}1(i_: u32) -> f32 { return ${one(`${name}[i_ >> 2u][(i_ >> 1u) & 1u]`)}; }`,
    access === 'read_write' ? write : '',
  ].join('\n')
}

/** Struct, bindings and accessors of one variant; binding 0 is the uniform, the rest in spec order. */
export function wgslHeader(kernel: KernelSpec, variant: KernelVariant, shared: string): string {
  const fields = kernel.params.map(([name, type]) => `  ${name}: ${type},`).join('\n')
  const bindings = kernel.bindings.map((binding, i) => {
    const slot = i + 1
    if (binding.kind === 'vec') return vecAccessors(binding, slot, variant.aligned)
    if (binding.kind === 'weight') return weightAccessors(binding, slot, variant)
    const element = binding.kind === 'atomic' ? 'atomic<u32>' : binding.kind
    return `${BUILTIN_ORDER}(${slot}) var<storage, ${binding.access}> ${binding.name}: array<${element}>;`
  })
  const [x, y, z] = kernel.workgroupSize
  const constants = `override WG_X: u32 = ${x}u;\noverride WG_Y: u32 = ${y}u;\noverride WG_Z: u32 = ${z}u;`
  const uniform = `struct Params {\n${fields}\n}\n${BUILTIN_ORDER}(0) var<uniform> P: Params;`
  const packed = kernel.bindings.some((b) => b.kind === 'weight') && variant.weights !== 'f32'
  return [constants, uniform, ...bindings, packed ? shared : ''].join('\n')
}
