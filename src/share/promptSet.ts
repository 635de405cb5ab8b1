// What tells one set of prompts from another: a link names a set by it and carries none of its texts.

import type { UserPrompt } from '../core/evaluate/userProbes.ts'

/** How a set takes the place of the built-in probes. */
export type ProbeUse = 'replace' | 'add'

/**
 * SHA-256, hex, of what a measurement depends on: the prompts in use in their order, with labels, topics and
 * completions, and how they are used. Ignored prompts, notes and the set's name do not count.
 */
export async function promptSetDigest(prompts: readonly UserPrompt[], use: ProbeUse): Promise<string> {
  const lines = prompts.map(({ prompt, label, topic, aligned, misaligned }) =>
    JSON.stringify([prompt, label, topic ?? null, aligned ?? null, misaligned ?? null]),
  )
  const text = JSON.stringify(['alignmerge prompts 1', use, ...lines])
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
