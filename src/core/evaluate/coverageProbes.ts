// Which probes to take gradients of: a subset of the estimating harmful probes that covers the others in the hidden
// states of a model, by facility location (coverage.ts), in place of a random draw. Choosing the rows of A so is ours.

import { EngineError } from '../errors.ts'
import type { TextCodec } from '../files/tokenizer.ts'
import type { DeviceModel } from '../model/deviceModel.ts'
import { type AqiItem, poolItems } from './aqiVectors.ts'
import { contentSpan, findPromptFrame } from './contentSpan.ts'
import { type Cover, cosineSimilarity, lazyGreedy, type Similarity } from './coverage.ts'
import type { Probe, ProbeFile } from './probes.ts'

/** Similarity of probes: upper-half hidden states averaged over the user's words, cosine about their mean. */
export async function probeSimilarity(
  model: DeviceModel,
  codec: TextCodec,
  probes: readonly Probe[],
  options: {
    signal?: AbortSignal | undefined
    onProgress?: ((done: number, total: number) => void) | undefined
  } = {},
): Promise<Similarity> {
  const frame = findPromptFrame(codec)
  const items = probes.map(({ prompt, topic }): AqiItem => {
    const ids = codec.encodePrompt(prompt)
    const { start, end } = contentSpan(frame, ids)
    return { ids: ids.slice(0, end), start, end, label: 'safe', topic }
  })
  const { safe, width } = await poolItems(model, items, options)
  return cosineSimilarity(safe, width)
}

/** Harmful estimating probes that rows of A can be made of, in the file's order. */
export function rowCandidates(file: Pick<ProbeFile, 'items'>): Probe[] {
  return file.items.filter(
    ({ set, split, misaligned }) => set === 'harmful' && split === 'estimate' && misaligned !== undefined,
  )
}

/** The `count` candidates that cover all of them best, greedily, at a model. `request-invalid` for too few. */
export async function coverRowProbes(
  model: DeviceModel,
  codec: TextCodec,
  file: Pick<ProbeFile, 'items'>,
  count: number,
  options: { signal?: AbortSignal | undefined } = {},
): Promise<{ probes: Probe[]; cover: Cover; similarity: Similarity }> {
  const candidates = rowCandidates(file)
  if (candidates.length < Math.max(2, count))
    throw new EngineError(
      'request-invalid',
      `coverage: ${count} of ${candidates.length} harmful estimating probes with a misaligned completion`,
    )
  const similarity = await probeSimilarity(model, codec, candidates, options)
  const cover = lazyGreedy(similarity, count)
  return { probes: cover.chosen.map((i) => candidates[i]), cover, similarity }
}

/** The file with no other row candidates than `kept`: every draw of rows of A then takes those. */
export function keepRowProbes(file: ProbeFile, kept: readonly Probe[]): ProbeFile {
  const ids = new Set(kept.map(({ id }) => id))
  const dropped = new Set(rowCandidates(file).flatMap(({ id }) => (ids.has(id) ? [] : [id])))
  return { ...file, items: file.items.filter(({ id }) => !dropped.has(id)) }
}
