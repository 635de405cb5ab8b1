// A merge θ that is moved along a cached direction: θ + ε + ρ·d, written in one streaming pass per slider step in
// the merge's own storage type. ε is what earlier rounds settled on, d the current direction; both float32.

import { sumGrams } from '../geometry/gramPass.ts'
import type { Metric } from '../geometry/metric.ts'
import type { Gpu } from '../gpu/device.ts'
import { combineRows } from '../kernels/mergeRows/mergeRows.ts'
import { GRAM_PLAIN, GRAM_TIMES } from '../kernels/weightedGram/weightedGram.ts'
import { DeviceModel, paddedCount, paddedTensors } from '../model/deviceModel.ts'

/** Length of a displacement in one tensor or layer. */
export interface TensorLength {
  name: string
  layer?: number
  /** ‖ε‖ */ length: number
  /** ‖ε‖_G */ metricLength: number
}

/** ⟨ε,ε⟩, ⟨ε,d⟩, ⟨d,d⟩ of one tensor, plain and under the metric. */
interface Products {
  plain: [number, number, number]
  metric: [number, number, number]
}

const squareAt = ([ee, ed, dd]: readonly number[], rho: number) =>
  Math.max(0, ee + 2 * rho * ed + rho * rho * dd)

export class MovedModel {
  readonly gpu: Gpu
  /** θ as it was, a copy */ readonly base: DeviceModel
  /** θ + ε + ρ·d as last written */ readonly out: DeviceModel
  private readonly metric: Metric
  /** (2, count) by tensor: ε, then d */
  private readonly rows = new Map<string, GPUBuffer>()
  private readonly coefficients: GPUBuffer
  private products = new Map<string, Products>()

  constructor(model: DeviceModel, metric: Metric) {
    const { gpu, config, type } = model
    this.gpu = gpu
    this.metric = metric
    this.base = new DeviceModel(gpu, config, type)
    this.base.copyFrom(model)
    this.out = new DeviceModel(gpu, config, type)
    this.out.copyFrom(model)
    for (const { spec, count } of model.tensors.values())
      this.rows.set(spec.name, gpu.createBuffer(2 * paddedCount(count) * 4, `antidote of ${spec.name}`))
    this.coefficients = gpu.createBuffer(8)
  }

  /** Encodes d of one tensor; `direction` (count) may be released at once. */
  setDirection(name: string, direction: GPUBuffer): void {
    const count = paddedCount(this.base.tensor(name).count)
    this.gpu.copy(direction, this.rows.get(name)!, count * 4, 0, count * 4)
  }

  /** Streams the lengths of ε and d; to be called once all of d is set. */
  async measure(signal?: AbortSignal): Promise<void> {
    const { base, rows, metric } = this
    const sums = await sumGrams(
      this.gpu,
      paddedTensors(base),
      (name) => {
        const both = { buffer: rows.get(name)!, rows: 2 }
        return [
          { label: 'plain', a: both, b: both, mode: GRAM_PLAIN },
          { label: 'metric', a: both, b: both, mode: GRAM_TIMES, weights: metric.diagonal.get(name)! },
        ]
      },
      { signal },
    )
    const three = (gram: Float64Array): [number, number, number] => [gram[0], gram[1], gram[3]]
    this.products = new Map(
      sums.byTensor.map(({ name, products }) => [
        name,
        { plain: three(products.get('plain')!), metric: three(products.get('metric')!) },
      ]),
    )
  }

  /** ‖d‖, Euclidean. */
  get directionLength(): number {
    let squared = 0
    for (const { plain } of this.products.values()) squared += plain[2]
    return Math.sqrt(squared)
  }

  /** ‖ε + ρ·d‖ of each tensor at `rho` units of d; no pass over weights. */
  lengths(rho: number): TensorLength[] {
    return [...this.products].map(([name, { plain, metric }]) => {
      const { layer } = this.base.tensor(name).spec
      return {
        name,
        ...(layer !== undefined && { layer }),
        length: Math.sqrt(squareAt(plain, rho)),
        metricLength: Math.sqrt(squareAt(metric, rho)),
      }
    })
  }

  /** Encodes θ + ε + ρ·d into `out`: one pass that reads θ, ε and d and writes the storage type. */
  write(rho: number): DeviceModel {
    const { gpu, base, out } = this
    gpu.write(this.coefficients, Float32Array.of(1, rho))
    for (const { spec, count: exact } of base.tensors.values()) {
      const count = paddedCount(exact)
      gpu.run(
        combineRows,
        { count, rows: 2, stride: count, baseShare: 1 },
        {
          base: base.buffer(spec.name),
          rows_: this.rows.get(spec.name)!,
          coefficients: this.coefficients,
          out: out.buffer(spec.name),
        },
        base.type,
      )
    }
    return out
  }

  /** ε ← ε + ρ·d, kept in float32 whatever the storage type. */
  settle(rho: number): void {
    const { gpu } = this
    gpu.write(this.coefficients, Float32Array.of(1, rho))
    for (const [name, rows] of this.rows) {
      const count = paddedCount(this.base.tensor(name).count)
      const sum = gpu.pool.take(count * 4)
      gpu.run(
        combineRows,
        { count, rows: 2, stride: count, baseShare: 0 },
        { base: gpu.unused, rows_: rows, coefficients: this.coefficients, out: sum },
      )
      gpu.copy(sum, rows, count * 4)
      gpu.pool.release(sum)
    }
  }

  dispose(): void {
    this.gpu.flush()
    this.base.dispose()
    this.out.dispose()
    for (const buffer of this.rows.values()) buffer.destroy()
    this.coefficients.destroy()
  }
}
