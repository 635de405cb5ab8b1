// Which probes a setup is measured on: the built-in ones, or the user's where they have been laid down.

import { expect, it } from 'vitest'
import { manyProbes, probeFile, tinyCodec } from '../../testing/answeringModels.ts'
import type { UserProbeSet } from '../evaluate/userProbes.ts'
import { ForwardMeasures, type MeasuredSession } from './measures.ts'

const A = 'a'.repeat(64)
const B = 'b'.repeat(64)

async function measuresOf(userProbes: Map<string, UserProbeSet>) {
  const probes = probeFile(manyProbes(6, 1))
  const codec = await tinyCodec()
  const session = {
    probes,
    userProbes,
    get: () => ({ codec, checkpoint: { config: { maxPositions: 64 } } }),
  } as unknown as MeasuredSession<never>
  return { probes, measures: new ForwardMeasures(session) }
}

const set = (words: string): UserProbeSet => ({
  name: words,
  use: 'replace',
  prompts: [
    { prompt: `${words} one`, label: 'safe' },
    { prompt: `${words} two`, label: 'unsafe' },
  ],
})

it('names the built-in probes without a digest, and each set by its own', async () => {
  const { probes, measures } = await measuresOf(
    new Map([
      [A, set('aa')],
      [B, set('bb')],
    ]),
  )
  const setup = { anchor: 'anchor', seed: 1 }
  expect(measures.probesOf(setup, 4)).toBe(probes)
  const promptsOf = (digest: string) =>
    measures
      .probesOf({ ...setup, probes: digest }, 4)
      .items.filter(({ id }) => id.startsWith('own-'))
      .map(({ prompt }) => prompt)
      .sort()
  expect(promptsOf(A)).toEqual(['aa one', 'aa two'])
  expect(promptsOf(B)).toEqual(['bb one', 'bb two'])
  // Drawn once: the points of a picture and its texts must be of one list.
  expect(measures.probesOf({ ...setup, probes: A }, 4)).toBe(measures.probesOf({ ...setup, probes: A }, 4))
})

it('refuses a digest whose prompts are not here, and says where to bring them', async () => {
  const { measures } = await measuresOf(new Map([[A, set('aa')]]))
  expect(() => measures.probesOf({ anchor: 'anchor', seed: 1, probes: B }, 4)).toThrow(
    expect.objectContaining({ code: 'request-invalid', message: expect.stringContaining('playground') }),
  )
})
