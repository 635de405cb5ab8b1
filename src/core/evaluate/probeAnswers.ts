// Answers to single probes, as behaviour.ts would count them: the same token limit of each set, the same rules. An
// answer does not depend on which others are asked for.

import type { TextCodec } from '../files/tokenizer.ts'
import type { DeviceModel } from '../model/deviceModel.ts'
import { decodeAnswers } from './answers.ts'
import { type Answered, answerLimit } from './behaviour.ts'
import type { ForwardModel } from './forwardModel.ts'
import type { Probe, ProbeFile } from './probes.ts'
import { classify } from './scorer.ts'

/** Greedy answers of a model to `probes` of `file`, in their order. Rejects `cancelled`. */
export async function answerProbes(
  model: DeviceModel | ForwardModel,
  codec: TextCodec,
  file: ProbeFile,
  probes: readonly Probe[],
  options: {
    signal?: AbortSignal | undefined
    onProgress?: ((done: number, total: number) => void) | undefined
  } = {},
): Promise<Answered[]> {
  const kindOf = ({ set, skill, split }: Probe) => JSON.stringify([set, skill, split])
  const rounds = new Map<string, Probe[]>()
  for (const probe of probes) rounds.set(kindOf(probe), [...(rounds.get(kindOf(probe)) ?? []), probe])
  const found = new Map<string, Answered>()
  for (const [kind, asked] of rounds) {
    const alike = file.items.filter((probe) => kindOf(probe) === kind)
    const decoded = await decodeAnswers(
      model,
      codec,
      asked.map(({ prompt }) => prompt),
      {
        maxNewTokens: answerLimit(codec, alike),
        signal: options.signal,
        onProgress: (done) => options.onProgress?.(found.size + done, probes.length),
      },
    )
    decoded.forEach((answer, i) => {
      found.set(asked[i].id, { ...answer, probe: asked[i], kind: classify(answer, file) })
    })
  }
  return probes.map(({ id }) => found.get(id)!)
}
