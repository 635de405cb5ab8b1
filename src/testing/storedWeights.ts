// A weight in memory as merges read it: in ranges, encoded.

import { MemorySource } from '../core/files/source.ts'
import { contiguousWeight, type StoredWeight } from '../core/files/storedWeight.ts'
import { encodeWeights, type WeightType } from '../core/tensors/dtype.ts'

export function storedWeight(
  name: string,
  values: Float32Array,
  type: WeightType,
  shape: readonly number[] = [values.length],
): StoredWeight {
  const source = new MemorySource(encodeWeights(values, type), `${name}.bin`)
  return contiguousWeight(source, { name, shape, encoding: type, offset: 0 })
}
