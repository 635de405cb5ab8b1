// LM-Cocktail's weights (arXiv 2311.13534): w = softmax(−l / T), l_k the mean cross-entropy of expert k alone on a few
// examples of everything that is wanted, answers only. No merge is made, so K forward passes are all it takes. For
// safety-aware use (arXiv 2406.14563) the examples are task pairs and refusals in one pool.

import { EngineError } from '../errors.ts'
import type { DeviceModel } from '../model/deviceModel.ts'
import type { PairObjective } from './objective.ts'

/** softmax(−losses / temperature). `request-invalid` for a temperature that is not above 0. */
export function softmaxWeights(losses: readonly number[], temperature: number): number[] {
  if (!(temperature > 0 && Number.isFinite(temperature)))
    throw new EngineError('request-invalid', `temperature ${temperature}: expected above 0`)
  const least = Math.min(...losses)
  const raw = losses.map((loss) => Math.exp((least - loss) / temperature))
  const total = raw.reduce((sum, value) => sum + value, 0)
  return raw.map((value) => value / total)
}

/** Weights of experts by their own mean loss over all pairs, whatever the objective's weights. */
export async function cocktailWeights(
  objective: PairObjective,
  experts: readonly DeviceModel[],
  temperature: number,
  signal?: AbortSignal,
): Promise<number[]> {
  const losses: number[] = []
  for (const expert of experts) {
    const own = await objective.losses(expert, signal)
    losses.push(own.reduce((sum, loss) => sum + loss, 0) / own.length)
  }
  return softmaxWeights(losses, temperature)
}
