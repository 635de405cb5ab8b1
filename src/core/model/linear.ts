// Linear layers of a model by tensor name: forward with bias and residual, and the gradient into the input.

import type { Gpu } from '../gpu/device.ts'
import { addBias } from '../kernels/addBias/addBias.ts'
import { matmul, matmulBackwardInput } from '../kernels/matmul/matmul.ts'
import type { DeviceModel } from './deviceModel.ts'

/** Columns `offset` … of rows `stride` elements apart. */
export interface View {
  buffer: GPUBuffer
  stride: number
  offset?: number
}

/** y (T,N) = x (T,K) · weightᵀ + bias + residual; N and K are the tensor's shape. */
export function linear(
  model: DeviceModel,
  name: string,
  T: number,
  x: View,
  y: View,
  residual?: GPUBuffer,
): void {
  const { gpu, type } = model
  const weight = model.tensor(`${name}.weight`)
  const [N, K] = weight.spec.shape
  const yOffset = y.offset ?? 0
  gpu.run(
    matmul,
    {
      M: T,
      N,
      K,
      xStride: x.stride,
      xOffset: x.offset ?? 0,
      yStride: y.stride,
      yOffset,
      addResidual: residual ? 1 : 0,
    },
    { weight: weight.buffer, x: x.buffer, residual: residual ?? gpu.unused, y: y.buffer },
    type,
  )
  const bias = model.tensors.get(`${name}.bias`)
  if (bias) gpu.run(addBias, { T, N, yStride: y.stride, yOffset }, { weight: bias.buffer, y: y.buffer }, type)
}

/** dx (T,K) = dy (T,N) · weight, added to what is there when `accumulate`. */
export function linearBackward(
  model: DeviceModel,
  name: string,
  T: number,
  dy: View,
  dx: GPUBuffer,
  accumulate: boolean,
): void {
  const weight = model.tensor(`${name}.weight`)
  const [N, K] = weight.spec.shape
  model.gpu.run(
    matmulBackwardInput,
    {
      M: T,
      N,
      K,
      dyStride: dy.stride,
      dyOffset: dy.offset ?? 0,
      dxStride: K,
      accumulate: accumulate ? 1 : 0,
    },
    { weight: weight.buffer, dy: dy.buffer, dx },
    model.type,
  )
}

/** A projection that is one tensor in fused families and several in others: name, first column, columns. */
export interface Part {
  name: string
  offset: number
  width: number
}

/** Where query, key and value projections write in a row [q | k | v] of (H+2G)·D columns. */
export function qkvParts(model: DeviceModel, layer: number): Part[] {
  const { headCount: H, kvHeadCount: G, headSize: D, fused } = model.config
  const at = (name: string) => `model.layers.${layer}.self_attn.${name}`
  if (fused) return [{ name: at('qkv_proj'), offset: 0, width: (H + 2 * G) * D }]
  return [
    { name: at('q_proj'), offset: 0, width: H * D },
    { name: at('k_proj'), offset: H * D, width: G * D },
    { name: at('v_proj'), offset: (H + G) * D, width: G * D },
  ]
}

/** Where gate and up projections write in a row [gate | up] of 2·I columns. */
export function gateUpParts(model: DeviceModel, layer: number): Part[] {
  const { intermediateSize: I, fused } = model.config
  const at = (name: string) => `model.layers.${layer}.mlp.${name}`
  if (fused) return [{ name: at('gate_up_proj'), offset: 0, width: 2 * I }]
  return [
    { name: at('gate_proj'), offset: 0, width: I },
    { name: at('up_proj'), offset: I, width: I },
  ]
}

/** Float32 scratch of `elements`. */
export function scratch(gpu: Gpu, elements: number): GPUBuffer {
  return gpu.pool.take(elements * 4)
}
