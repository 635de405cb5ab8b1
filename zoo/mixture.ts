// Data mixtures: what merging is compared with (the 3H comparison of merging against mixing data). One model is
// fine-tuned from the anchor on the training data of several experts at once, as long as one task expert is, at three
// ratios of the safety expert's data to the task experts'. Not part of the zoo that is shipped.

import type { SourceName } from '../src/core/train/corpus/world.ts'
import { type ModelRecipe, models } from './recipe.ts'

/** Sequences of safety data to sequences of task data. */
export const ratios: readonly (readonly [safety: number, task: number])[] = [
  [1, 3],
  [1, 1],
  [3, 1],
]

type Mixture = ModelRecipe['mixture']

/** Sum of mixtures, each scaled to its share. */
export function mixData(parts: readonly { mixture: Mixture; share: number }[]): Mixture {
  const mixed: Mixture = {}
  for (const { mixture, share } of parts) {
    const total = Object.values(mixture).reduce((sum, one) => sum + one, 0)
    for (const [source, one] of Object.entries(mixture) as [SourceName, number][])
      mixed[source] = (mixed[source] ?? 0) + (share * one) / total
  }
  return mixed
}

const tasks = models.filter(({ role }) => role === 'task')
const safety = models.find(({ role }) => role === 'safety')!

/** One recipe for each ratio; optimiser, steps and batch are the first task expert's. */
export const mixtures: readonly ModelRecipe[] = ratios.map(([ofSafety, ofTasks], index) => {
  const total = ofSafety + ofTasks
  const { skill: _, ...expert } = tasks[0]
  return {
    ...expert,
    id: `mixture-${ofSafety}-${ofTasks}`,
    name: `Data mixture, safety : tasks ${ofSafety} : ${ofTasks}`,
    description: `Anchor fine-tuned on the data of the safety expert and of ${tasks.length} task experts at once, ${ofSafety} : ${ofTasks}.`,
    seed: 6 + index,
    mixture: mixData([
      { mixture: safety.mixture, share: ofSafety / total },
      ...tasks.map(({ mixture }) => ({ mixture, share: ofTasks / total / tasks.length })),
    ]),
  }
})
