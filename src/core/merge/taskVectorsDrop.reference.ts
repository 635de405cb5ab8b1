// What DARE, DELLA and breadcrumbs keep of one task vector, element by element.

import { EngineError } from '../errors.ts'
import { pcgHash } from '../tensors/random.ts'
import { orderByMagnitude, type Sparse, type SparseInput } from './taskVectors.reference.ts'

/** Uniform draw in [0, 1) of element i of model k. */
function drawOf({ seed, k }: SparseInput, i: number): number {
  const offset = Number((BigInt(seed) + BigInt(k) * 0x9e3779b9n) % 2n ** 32n)
  return pcgHash((i ^ offset) >>> 0) / 2 ** 32
}

export function dropAtRandom(input: SparseInput): Sparse | undefined {
  const density = Number(input.values.density)
  if (density >= 1) return undefined
  const { parameters } = input.tensor
  const isPaper = parameters.variant === 'paper'
  const factor = isPaper && parameters.rescale === true ? 1 / density : 1
  return {
    kept: input.tau.map((_, i) => (drawOf(input, i) < density ? factor : 0)),
    rescales: isPaper ? 'done' : 'norm',
  }
}

export function dropByRank(input: SparseInput): Sparse | undefined {
  const { tau, values, tensor } = input
  const [density, epsilon] = [Number(values.density), Number(values.epsilon)]
  if (density >= 1) return undefined
  if (density - epsilon <= 0 || density + epsilon >= 1)
    throw new EngineError('request-invalid', `density ${density} and epsilon ${epsilon} leave 0 … 1`)
  const isPaper = tensor.parameters.variant === 'paper'
  const width = tensor.shape[tensor.shape.length - 1]
  const kept = new Float64Array(tau.length)
  for (let start = 0; start < tau.length; start += width) {
    orderByMagnitude(tau.subarray(start, start + width)).forEach((j, place) => {
      const rank = width === 1 ? 0.5 : (width - 1 - place) / (width - 1)
      const p = density - epsilon + 2 * epsilon * rank
      const factor = isPaper && tensor.parameters.rescale === true ? 1 / p : 1
      if (drawOf(input, start + j) < p) kept[start + j] = factor
    })
  }
  return { kept, rescales: isPaper ? 'done' : 'norm' }
}

export function dropOutliers({ tau, values }: SparseInput): Sparse | undefined {
  const size = tau.length
  if (Number(values.density) >= 1) return undefined
  let top = Math.floor(Number(values.gamma) * size)
  let bottom = size - Math.floor(Number(values.density) * size) - top
  if (bottom < 0) {
    top += bottom
    bottom = 0
  }
  const kept = new Float64Array(size)
  for (const i of orderByMagnitude(tau).slice(top, size - bottom)) kept[i] = 1
  return { kept, rescales: 'norm' }
}
