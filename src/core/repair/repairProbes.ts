// Probes of repairs made after a merge. Only the estimating split is touched: one half gives gradients and losses to
// descend, the other decides how far to go. The reporting (held-out) split is never read here.

import { EngineError } from '../errors.ts'
import { listSkills, type Probe, type ProbeFile, pickProbes } from '../evaluate/probes.ts'
import type { TextCodec } from '../files/tokenizer.ts'
import type { Sequence } from '../model/batch.ts'

export interface RepairProbes {
  /** to be refused, with both completions */ harmful: Probe[]
  /** to be helped with, with both completions */ harmless: Probe[]
  /** by skill, in order of names; empty where the file has none */ skills: Probe[][]
}

/** Random streams of this folder: no two draws of one seed share numbers with each other or with evaluate's. */
export const REPAIR_STREAMS = { factors: 201, steps: 202, batches: 203, noise: 204 } as const

/**
 * Both halves of the estimating split. The first holds the rows of A of the same seed, since smaller draws are the
 * start of larger ones. `request-invalid` where a half would lack harmful or harmless probes with two completions.
 */
export function repairHalves(
  file: Pick<ProbeFile, 'items'>,
  seed: number,
): { estimate: RepairProbes; accept: RepairProbes } {
  const paired = { items: file.items.filter(({ misaligned }) => misaligned !== undefined) }
  const all = file.items.length
  const harmful = pickProbes(paired, 'harmful', 'estimate', all, seed)
  const harmless = pickProbes(paired, 'harmless', 'estimate', all, seed)
  for (const [name, found] of Object.entries({ harmful, harmless }))
    if (found.length < 4)
      throw new EngineError(
        'request-invalid',
        `a repair needs at least 4 ${name} estimating probes with both completions, found ${found.length}`,
      )
  const skills = listSkills(file, 'estimate').map((skill) =>
    pickProbes(file, 'skill', 'estimate', all, seed, skill),
  )
  const half = (probes: Probe[], second: boolean) => {
    const middle = Math.ceil(probes.length / 2)
    return second ? probes.slice(middle) : probes.slice(0, middle)
  }
  const side = (second: boolean): RepairProbes => ({
    harmful: half(harmful, second),
    harmless: half(harmless, second),
    skills: skills.map((probes) => half(probes, second)).filter((probes) => probes.length > 0),
  })
  return { estimate: side(false), accept: side(true) }
}

/** Prompt and completion, of which the first `tokens` tokens are targets. */
export function completionSequence(
  codec: Pick<TextCodec, 'encodePrompt' | 'encodeCompletion'>,
  prompt: string,
  completion: string,
  tokens = Number.POSITIVE_INFINITY,
): Sequence {
  const before = codec.encodePrompt(prompt)
  return {
    ids: [...before, ...codec.encodeCompletion(completion).slice(0, tokens)],
    firstTarget: before.length,
  }
}

/** Harmless and skill probes in turn, so that any start of the list holds every kind. */
export function benignOf({ harmless, skills }: Pick<RepairProbes, 'harmless' | 'skills'>): Probe[] {
  const kinds = [harmless, ...skills]
  const longest = Math.max(...kinds.map(({ length }) => length))
  return Array.from({ length: longest }, (_, i) => kinds.flatMap((kind) => kind.slice(i, i + 1))).flat()
}
