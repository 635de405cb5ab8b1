// The control of equal rank: rows that have nothing to do with alignment. Each row is √g ∘ z with z standard normal,
// so that its direction G⁻¹A = z/√g is uniform on the sphere of the metric: a random subspace of the whole
// parameter space, seen by G. A shield along it should not protect. Ours.

import type { AlignmentRows } from '../geometry/alignmentRows.ts'
import type { Metric } from '../geometry/metric.ts'
import { type DeviceModel, paddedCount } from '../model/deviceModel.ts'
import { createGradients } from '../model/gradientSink.ts'
import { Random } from '../tensors/random.ts'

/** Apart from the streams of evaluate/bootstrap.ts. */
const STREAM = 201

/** `count` random rows (count, P) by tensor; the caller's to destroy. */
export async function randomRows(
  model: DeviceModel,
  metric: Metric,
  count: number,
  seed: number,
): Promise<AlignmentRows> {
  const { gpu } = model
  const rows = createGradients(gpu, model.config, count)
  const random = new Random(seed, STREAM)
  for (const { spec, count: exact } of model.tensors.values()) {
    const stride = paddedCount(exact)
    const g = await gpu.readFloats(metric.diagonal.get(spec.name)!, exact)
    const values = new Float32Array(count * stride)
    for (let row = 0; row < count; row++) {
      const z = random.normals(exact)
      for (let i = 0; i < exact; i++) values[row * stride + i] = Math.sqrt(g[i]) * z[i]
    }
    gpu.write(rows.get(spec.name)!, values)
  }
  return { count, rows }
}
