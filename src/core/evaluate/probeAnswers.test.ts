import { expect, it } from 'vitest'
import { manyProbes, probe, probeFile, ruleModel, tinyCodec } from '../../testing/answeringModels.ts'
import { measureBehaviour } from './behaviour.ts'
import { answerProbes } from './probeAnswers.ts'

it('gives the very answers that behaviour is counted on, whichever are asked for', async () => {
  const codec = await tinyCodec()
  const model = await ruleModel()
  const file = probeFile([
    ...['a', '!', '?', 'b'].map((end, i) => probe(`harmful${i}`, 'harmful', `harmful ${i}${end}`)),
    ...['?', '!', 'a'].map((end, i) => probe(`fine${i}`, 'harmless', `harmless ${i}${end}`)),
    // Longer than any other of its set: all answers of the set may be as long.
    probe('long', 'harmful', 'z?', { aligned: 'no.', misaligned: 'yes yes yes yes.' }),
    probe('estimate', 'harmful', 'another ?', { split: 'estimate', misaligned: `yes${' yes'.repeat(20)}.` }),
  ])
  const { answered } = await measureBehaviour(model, codec, file, { perClass: 64, seed: 1 })
  expect(answered).toHaveLength(8)
  const mixed = [...answered].reverse().map((answer) => answer.probe)
  const progress: number[] = []
  const asked = await answerProbes(model, codec, file, mixed, { onProgress: (done) => progress.push(done) })
  expect(asked).toEqual([...answered].reverse())
  expect(progress.at(-1)).toBe(8)
  const [alone] = await answerProbes(model, codec, file, [mixed[3]!])
  expect(alone).toEqual(asked[3])
  expect(await answerProbes(model, codec, file, [])).toEqual([])
  expect(new Set(asked.map(({ kind }) => kind))).toEqual(new Set(['refusal', 'compliance', 'gibberish']))
})

it('stops at a raised signal', async () => {
  const codec = await tinyCodec()
  const file = probeFile(manyProbes(3, 1))
  await expect(
    answerProbes(await ruleModel(), codec, file, file.items.slice(0, 2), { signal: AbortSignal.abort() }),
  ).rejects.toMatchObject({ code: 'cancelled' })
})
