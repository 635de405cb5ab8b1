// How much an answer leans on every word of its prompt: its loss with some of the user's tokens replaced by one that
// the model never learned, against its loss on the prompt as it is. The corruption is MEAP's (arXiv 2502.07490: 15 %
// of input tokens, targets unchanged); using it as a probe of merges is ours. Masks are drawn from the seed and the
// probe's place alone, so that models are compared on the same ones, pair by pair.

import { EngineError } from '../errors.ts'
import type { TextCodec } from '../files/tokenizer.ts'
import type { Sequence } from '../model/batch.ts'
import type { DeviceModel } from '../model/deviceModel.ts'
import { Random } from '../tensors/random.ts'
import { bootstrapMean, STREAMS } from './bootstrap.ts'
import { contentSpan, findPromptFrame } from './contentSpan.ts'
import type { Estimate } from './estimate.ts'
import { listSkills, type Probe, type ProbeFile, type ProbeSplit, pickProbes } from './probes.ts'
import { sequenceLosses } from './sequenceLosses.ts'

export interface MaskingOptions {
  /** of the user's tokens that are replaced, 0 to 1; at least one token is */ share: number
  /** masks per prompt, averaged */ masks: number
  /** probes of each set and skill */ perClass: number
  seed: number
  /** default: `findMaskToken` */ maskToken?: number | undefined
  /** default heldout */ split?: ProbeSplit | undefined
  signal?: AbortSignal | undefined
  onProgress?: ((done: number, total: number) => void) | undefined
}

export const MASKING_DEFAULTS = { share: 0.15, masks: 4, perClass: 96 } as const

/** One kind of prompt: refusals of harmful ones, help with harmless ones, answers of a skill. */
export interface MaskedGroup {
  /** harmful, harmless, or a skill's name */ kind: string
  /** mean loss of the good answer, nats per token, with a bootstrap interval over probes */ plain: Estimate
  masked: Estimate
  /** masked minus plain, probe by probe */ rise: Estimate
  /** the same per probe, in the order of the draw */ rises: Float64Array
}

export interface Masking {
  maskToken: number
  groups: MaskedGroup[]
}

/**
 * A token that no text contains: one named mask, an unused or reserved one, an embedding row beyond the tokenizer,
 * or padding, in this order. `request-invalid` where there is none.
 */
export function findMaskToken(
  codec: Pick<TextCodec, 'vocabSize' | 'tokenOf'>,
  embeddingRows: number,
): number {
  const names = Array.from({ length: codec.vocabSize }, (_, id) => codec.tokenOf(id) ?? '')
  const special = (pattern: RegExp) =>
    names.findIndex((name) => /^[<[].*[>\]]$/.test(name) && pattern.test(name))
  for (const pattern of [/mask/i, /unused|reserved|extra_id|placeholder/i]) {
    const id = special(pattern)
    if (id >= 0) return id
  }
  if (embeddingRows > codec.vocabSize) return codec.vocabSize
  const padding = special(/\bpad\b/i)
  if (padding >= 0) return padding
  throw new EngineError('request-invalid', 'the vocabulary has no unused token to mask with; name one')
}

/** Places of `span` that mask number `mask` of probe number `index` covers, ascending. */
export function maskedPlaces(
  span: { start: number; end: number },
  share: number,
  seed: number,
  index: number,
  mask: number,
): number[] {
  const random = new Random(seed, STREAMS.masks * 2 ** 32 + index * 2 ** 10 + mask)
  const places = Array.from({ length: span.end - span.start }, (_, i) => span.start + i)
  const count = Math.max(1, Math.round(share * places.length))
  return random
    .shuffle(places)
    .slice(0, count)
    .sort((a, b) => a - b)
}

/** Losses of good answers with and without masks. `request-invalid` for a setting out of range, `cancelled`. */
export async function measureMasking(
  model: DeviceModel,
  codec: TextCodec,
  file: ProbeFile,
  options: MaskingOptions,
): Promise<Masking> {
  const { share, masks, perClass, seed, split = 'heldout', signal } = options
  if (!(share > 0 && share <= 1) || !Number.isInteger(masks) || masks < 1 || masks > 1024)
    throw new EngineError(
      'request-invalid',
      `masking: expected a share in (0, 1] and 1 to 1024 masks, found ${share} and ${masks}`,
    )
  const maskToken = options.maskToken ?? findMaskToken(codec, model.config.vocabSize)
  if (!(Number.isInteger(maskToken) && maskToken >= 0 && maskToken < model.config.vocabSize))
    throw new EngineError(
      'request-invalid',
      `mask token ${maskToken}: expected 0 … ${model.config.vocabSize - 1}`,
    )
  const frame = findPromptFrame(codec)
  const kinds: [string, Probe[]][] = [
    ...(['harmful', 'harmless'] as const).map((set): [string, Probe[]] => [
      set,
      pickProbes(file, set, split, perClass, seed),
    ]),
    ...listSkills(file, split).map((skill): [string, Probe[]] => [
      skill,
      pickProbes(file, 'skill', split, perClass, seed, skill),
    ]),
  ]
  const total = kinds.reduce((sum, [, probes]) => sum + probes.length, 0) * (1 + masks)
  let done = 0
  const groups: MaskedGroup[] = []
  for (const [kind, probes] of kinds) {
    if (probes.length === 0) continue
    const plain: Sequence[] = []
    const masked: Sequence[] = []
    for (const [index, { prompt, aligned }] of probes.entries()) {
      const before = codec.encodePrompt(prompt)
      const answer = codec.encodeCompletion(aligned)
      const span = contentSpan(frame, before)
      plain.push({ ids: [...before, ...answer], firstTarget: before.length })
      for (let mask = 0; mask < masks; mask++) {
        const ids = [...before]
        for (const place of maskedPlaces(span, share, seed, index, mask)) ids[place] = maskToken
        masked.push({ ids: [...ids, ...answer], firstTarget: before.length })
      }
    }
    const losses = await sequenceLosses(model, [...plain, ...masked], {
      signal,
      onProgress: (part) => options.onProgress?.(done + part, total),
    })
    done += losses.length
    const own = losses.slice(0, probes.length)
    const means = own.map((_, i) => {
      const from = probes.length + i * masks
      return losses.subarray(from, from + masks).reduce((sum, loss) => sum + loss, 0) / masks
    })
    const rises = means.map((loss, i) => loss - own[i])
    groups.push({
      kind,
      plain: bootstrapMean(own, seed),
      masked: bootstrapMean(means, seed),
      rise: bootstrapMean(rises, seed),
      rises,
    })
  }
  return { maskToken, groups }
}

/** Mean of rise(a) − rise(b) over the probes that both were measured on, with a paired bootstrap interval. */
export function compareRises(a: MaskedGroup, b: MaskedGroup, seed: number): Estimate {
  if (a.kind !== b.kind || a.rises.length !== b.rises.length)
    throw new EngineError(
      'request-invalid',
      `masking: ${a.kind} on ${a.rises.length} probes cannot be paired with ${b.kind} on ${b.rises.length}`,
    )
  return bootstrapMean(
    a.rises.map((rise, i) => rise - b.rises[i]),
    seed,
  )
}
