// A streamed merge into shards that are written in place: what is merged already is not merged again, and how far it has
// come, how fast, and how much it holds is told as it goes.

import type { Checkpoint } from '../files/checkpoint.ts'
import { sha256, sha256Text } from '../files/contentHash.ts'
import type { PlacedWriter } from '../files/output/placedWriter.ts'
import { countOf } from '../files/storedWeight.ts'
import type { MergePlan } from '../merge/recipe/plan.ts'
import { HeldBytes } from '../merge/streaming/heldBytes.ts'
import { encodePiece, type StreamedMerge } from '../merge/streamMerge.ts'
import { WEIGHT_BYTES, type WeightType } from '../tensors/dtype.ts'

/** Elements of each weight that its model is recognised by. */
const SAMPLE_ELEMENTS = 2048

/**
 * SHA-256 of all that a merge follows from: the plan, and of every weight it reads where that stands and its first
 * elements. Headers and samples only: hashing all inputs would cost a pass over them.
 */
export async function mergeDigest(
  plan: MergePlan,
  models: ReadonlyMap<string, Pick<Checkpoint, 'stored'>>,
  more: unknown = undefined,
  signal?: AbortSignal,
): Promise<string> {
  const { notes: _, ...meant } = plan
  const lines: string[] = [JSON.stringify(meant), JSON.stringify(more ?? null)]
  for (const name of plan.models)
    for (const weight of models.get(name)?.stored.values() ?? []) {
      const granules = Math.max(1, Math.floor(SAMPLE_ELEMENTS / weight.granule))
      const count = Math.min(countOf(weight), granules * weight.granule)
      const { bytes, encoding } = await weight.read(0, count, signal)
      const { name: tensor, shape, byteLength } = weight
      lines.push(JSON.stringify([name, tensor, shape, byteLength, encoding, await sha256(bytes)]))
    }
  return sha256Text(lines.join('\n'))
}

/** How far a merge has come. */
export interface MergeProgress {
  /** tensors that are complete, those found complete at the start included */
  tensors: number
  totalTensors: number
  resumedTensors: number
  /** bytes of the result that are written, and that there will be */
  bytes: number
  totalBytes: number
  /** of those written since the start; 0 before the first */
  bytesPerSecond: number
  secondsLeft: number
  /** most bytes held at once so far, buffers of host and device */
  peakBytes: number
}

export interface PlacedMergeOptions {
  budget?: number | undefined
  onProgress?: ((progress: MergeProgress) => void) | undefined
  /** milliseconds; replaced in tests */
  now?: () => number
}

/** What streamMerge needs to write through `writer`. */
export function placedSink(
  writer: PlacedWriter,
  type: WeightType,
  { budget, onProgress, now = () => performance.now() }: PlacedMergeOptions = {},
): Pick<StreamedMerge, 'write' | 'finish' | 'isDone' | 'outType' | 'budget' | 'held'> {
  const held = new HeldBytes()
  const places = writer.shards.flatMap(({ tensors }) => tensors)
  const totalBytes = places.reduce((sum, { byteLength }) => sum + byteLength, 0)
  const before = places
    .filter(({ name }) => writer.done.has(name))
    .reduce((sum, { byteLength }) => sum + byteLength, 0)
  const begun = now()
  let written = 0
  const report = () => {
    const seconds = (now() - begun) / 1000
    const bytesPerSecond = seconds > 0 ? written / seconds : 0
    const left = totalBytes - before - written
    onProgress?.({
      tensors: writer.done.size,
      totalTensors: places.length,
      resumedTensors: writer.resumed,
      bytes: before + written,
      totalBytes,
      bytesPerSecond,
      secondsLeft: bytesPerSecond > 0 ? left / bytesPerSecond : 0,
      peakBytes: held.peak,
    })
  }
  report()
  return {
    held,
    budget,
    outType: type,
    isDone: ({ name }) => writer.done.has(name),
    async write({ name }, piece) {
      const bytes = encodePiece(piece, type, name)
      await writer.write(name, piece.start * WEIGHT_BYTES[type], bytes)
      written += bytes.byteLength
      report()
    },
    async finish({ name }) {
      await writer.finish(name)
      report()
    },
  }
}
