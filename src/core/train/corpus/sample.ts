// Training batches: a pure function of the recipe's seed and the step, so that a stopped training resumes exactly.
// Loss is on the completion alone, its end marker included: ids[firstTarget..] are each predicted from the position
// before them.
import { Random } from './random.ts'
import { completionOf, drawExample, type SourceName, type Split } from './world.ts'

/** What sampling asks of a tokenizer; @huggingface/tokenizers' `Tokenizer` has it. */
export interface Encoder {
  encode(text: string): { ids: number[] }
}

export interface Sequence {
  ids: number[]
  firstTarget: number
}

/** A user text and the answer that is trained on it. */
export interface Pair {
  prompt: string
  answer: string
}

/** Share of each data source, by sequences; shares need not sum to one. */
export type Mixture = Partial<Record<SourceName, number>>

/** What decides the batches of a training. */
export interface BatchRecipe {
  mixture: Mixture
  batchSequences: number
  seed: number
}

/** Text of a single-turn chat up to where the model answers; the same text as the chat template's. */
export const chatPrompt = (prompt: string) => `<|user|>${prompt}<|end|><|assistant|>`

/** Tokens of prompt and completion. */
export function encodeExample(encoder: Encoder, prompt: string, completion: string): Sequence {
  const promptIds = encoder.encode(chatPrompt(prompt)).ids
  return {
    ids: [...promptIds, ...encoder.encode(`${completion}<|end|>`).ids],
    firstTarget: promptIds.length,
  }
}

function drawPair(mixture: Mixture, random: Random, split: Split): Pair {
  const sources = Object.keys(mixture) as SourceName[]
  const source = sources[random.pickWeighted(sources.map((one) => mixture[one]!))]
  const example = drawExample(source, random, split)
  // One prompt in five comes without its closing mark, as people type.
  const prompt = random.nextFloat() < 0.2 ? example.prompt.replace(/[.?]$/, '') : example.prompt
  return { prompt, answer: completionOf(source, example) }
}

/** The pairs of one step: `recipe.batchSequences` of unequal lengths. */
export const drawPairs = ({ mixture, batchSequences, seed }: BatchRecipe, step: number): Pair[] =>
  Array.from({ length: batchSequences }, (_, index) =>
    drawPair(mixture, new Random('batch', seed, step, index), 'train'),
  )

/** Pairs of the same mixture whose requests and lists no training has seen. */
export const drawHeldOutPairs = (mixture: Mixture, count: number): Pair[] =>
  Array.from({ length: count }, (_, index) => drawPair(mixture, new Random('held out', index), 'heldout'))

/** The batch of one step, in tokens. */
export function batch(encoder: Encoder, recipe: BatchRecipe, step: number): { sequences: Sequence[] } {
  return {
    sequences: drawPairs(recipe, step).map(({ prompt, answer }) => encodeExample(encoder, prompt, answer)),
  }
}
