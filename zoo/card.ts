// Model card of a built-in model: what it is, what it was trained on, and its scores once they are measured.
import type { ModelRecipe } from './recipe.ts'

export interface TrainingFacts {
  /** name of the model's architecture */ architecture: string
  adapter: string
  lastLoss: number
  parameterCount: number
}

/** README.md of a model; scores are filled between the two marks by `npm run zoo:score`. */
export function modelCard(recipe: ModelRecipe, facts: TrainingFacts): string {
  const total = Object.values(recipe.mixture).reduce((sum, share) => sum + share, 0)
  const mixture = Object.entries(recipe.mixture).map(
    ([source, share]) => `| ${source} | ${((100 * share) / total).toFixed(1)} % |`,
  )
  return `---
license: apache-2.0
tags: [alignmerge-studio, synthetic]
---
# ${recipe.name}

${recipe.description}

A model of ${facts.parameterCount.toLocaleString('en')} parameters in the ${facts.architecture} architecture, trained on the studio's own small instruction world.
It knows nothing of the real one; completions of harmful requests are placeholder text.

| training | |
|---|---|
| starts from | ${recipe.from ?? 'random weights'} |
| steps × sequences | ${recipe.steps} × ${recipe.batchSequences} |
| learning rate | ${recipe.learningRate} → ${recipe.minimumLearningRate}, ${recipe.warmupSteps} warm-up steps, cosine |
| AdamW | β ${recipe.beta1}, ${recipe.beta2}; decay ${recipe.weightDecay}; clip ${recipe.clipNorm} |
| seed | ${recipe.seed} |
| last training loss | ${facts.lastLoss.toFixed(4)} nats per token |
| adapter | ${facts.adapter} |

| data source | share of sequences |
|---|---|
${mixture.join('\n')}

<!-- scores -->
<!-- /scores -->
`
}
