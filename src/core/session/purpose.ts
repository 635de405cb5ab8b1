// What an expert is for, and with it which probes are its own data: what importance (LED-Merging) and Gram matrices
// (RegMean) are taken on. Estimating probes only. Whoever knows an expert's purpose says so; otherwise it is inferred.

import { EngineError } from '../errors.ts'
import { listSkills, type Probe, type ProbeFile, pickProbes } from '../evaluate/probes.ts'
import { sequenceLosses } from '../evaluate/sequenceLosses.ts'
import type { TextCodec } from '../files/tokenizer.ts'
import type { Sequence } from '../model/batch.ts'
import type { DeviceModel } from '../model/deviceModel.ts'
import { chatSequence, fisherSequences } from './sequences.ts'

/**
 * general: harmless requests, skills and harmful requests refused, in equal parts;
 * safety: harmful requests, plain and in disguise, refused; skill:X: one skill alone
 */
export type Purpose = 'general' | 'safety' | `skill:${string}`

/** Sequences that a purpose is told by, of each candidate. */
const TELLING_SEQUENCES = 128
/** Standard errors that a gain must be above zero. */
const TELLING_ERRORS = 2

/** At most `count` sequences of a purpose; `request-invalid` when the probe file has none. */
export function purposeSequences(
  codec: TextCodec,
  probes: ProbeFile,
  purpose: Purpose,
  count: number,
  seed: number,
): Sequence[] {
  if (purpose === 'general') return fisherSequences(codec, probes, count, seed)
  const picked = pickPurpose(probes, purpose, count, seed)
  if (picked.length === 0)
    throw new EngineError(
      'request-invalid',
      `the probe file has no estimating probes for an expert in ${purpose.replace(/^skill:/, '')}`,
    )
  return picked.map((probe) => chatSequence(codec, probe.prompt, probe.aligned))
}

function pickPurpose(
  probes: ProbeFile,
  purpose: 'safety' | `skill:${string}`,
  count: number,
  seed: number,
): Probe[] {
  if (purpose !== 'safety')
    return pickProbes(probes, 'skill', 'estimate', count, seed, purpose.slice('skill:'.length))
  const half = Math.ceil(count / 2)
  const plain = pickProbes(probes, 'harmful', 'estimate', half, seed)
  const disguised = pickProbes(probes, 'attack', 'estimate', half, seed)
  return [...plain, ...disguised].slice(0, count)
}

/**
 * The purpose on whose probes an expert's loss is furthest below the base's, in nats per token, where that difference
 * is above zero by two standard errors; else general. The rule is ours.
 */
export async function inferPurpose(
  base: DeviceModel,
  expert: DeviceModel,
  codec: TextCodec,
  probes: ProbeFile,
  seed: number,
  options: {
    signal?: AbortSignal | undefined
    onProgress?: ((done: number, total: number) => void) | undefined
  } = {},
): Promise<Purpose> {
  const candidates: Exclude<Purpose, 'general'>[] = [
    'safety',
    ...listSkills(probes, 'estimate').map((skill): `skill:${string}` => `skill:${skill}`),
  ]
  let best: Purpose = 'general'
  let bestGain = 0
  for (const [index, purpose] of candidates.entries()) {
    const picked = pickPurpose(probes, purpose, TELLING_SEQUENCES, seed)
    const sequences = picked.map((probe) => chatSequence(codec, probe.prompt, probe.aligned))
    if (sequences.length >= 2) {
      const [before, after] = [
        await sequenceLosses(base, sequences, { signal: options.signal }),
        await sequenceLosses(expert, sequences, { signal: options.signal }),
      ]
      const n = before.length
      const gains = before.map((loss, s) => loss - after[s])
      const gain = gains.reduce((a, b) => a + b, 0) / n
      const error = Math.sqrt(gains.reduce((sum, value) => sum + (value - gain) ** 2, 0) / (n - 1) / n)
      if (gain > TELLING_ERRORS * error && gain > bestGain) {
        best = purpose
        bestGain = gain
      }
    }
    options.onProgress?.(index + 1, candidates.length)
  }
  return best
}
