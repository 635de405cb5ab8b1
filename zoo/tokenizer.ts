// The world's tokenizer, trained on the spot (under a second) and opened with the studio's own tokenizer library.
import { Tokenizer } from '@huggingface/tokenizers'
import { tokenizerConfigJson, tokenizerJson, trainBpe } from './bpe.ts'
import { worldTexts } from './corpus.ts'
import { architecture } from './recipe.ts'

export interface ZooTokenizer {
  tokenizer: Tokenizer
  /** tokenizer.json and tokenizer_config.json. */
  json: object
  config: object
}

export function buildTokenizer(): ZooTokenizer {
  const json = tokenizerJson(trainBpe(worldTexts(), architecture.vocab_size))
  const config = tokenizerConfigJson()
  return { tokenizer: new Tokenizer(json, config), json, config }
}
