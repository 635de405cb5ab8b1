// GGUF files to be damaged: opened as any model is, every weight and the tokenizer read.

import { openCheckpoint } from '../../core/files/checkpoint.ts'
import { memoryFolder } from '../../core/files/folder.ts'
import { countOf, readElements } from '../../core/files/storedWeight.ts'
import { TextCodec } from '../../core/files/tokenizer.ts'
import { ggufOf } from '../ggufBytes.ts'
import { PHI3_TEMPLATE, tinyTokenizer } from '../tinyCheckpoint.ts'
import { TINY_CONFIGS, tinyModel } from '../tinyModels.ts'
import type { FuzzTarget } from './target.ts'

/** Larger claims are never read: their length would be the file's, and it is not. */
const MAX_ELEMENTS = 2 ** 22

const tokenizerConfig = { bos_token: '<s>', eos_token: '<|endoftext|>', chat_template: PHI3_TEMPLATE }

/** A tokenizer with byte fallback, as sentencepiece vocabularies are converted. */
function piecesTokenizer(): Record<string, unknown> {
  const bytes = Array.from({ length: 256 }, (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`)
  const tokens = ['<unk>', '<s>', '</s>', ...bytes, '▁', 'a', 'b', '▁a', 'ab', '▁ab']
  return {
    added_tokens: tokens.slice(0, 3).map((content, id) => ({ id, content, special: true })),
    normalizer: { type: 'Prepend', prepend: '▁' },
    model: {
      type: 'BPE',
      unk_token: '<unk>',
      byte_fallback: true,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: [
        ['▁', 'a'],
        ['a', 'b'],
        ['▁a', 'b'],
      ].map((pair) => pair.join(' ')),
    },
  }
}

async function seedOf(
  config: string,
  changes: Record<string, unknown>,
  type: 'f16' | 'q8_0' | 'q4_0',
  pieces: boolean,
) {
  const model = tinyModel({ ...TINY_CONFIGS[config], ...changes })
  const tokenizerJson = pieces ? piecesTokenizer() : tinyTokenizer()
  return (await ggufOf({ ...model, tokenizerJson, tokenizerConfig }, type)).bytes
}

export const target: FuzzTarget = {
  name: 'gguf',
  async seeds() {
    const wide = { hidden_size: 32, intermediate_size: 32, vocab_size: 104, num_hidden_layers: 1 }
    return [
      await seedOf('llama, llama3 scaling', { ...wide, vocab_size: 265 }, 'q8_0', true),
      await seedOf('phi3, longrope (short and long sequences)', { ...wide, hidden_size: 16 }, 'f16', false),
      await seedOf('gemma2', { ...wide, vocab_size: 265 }, 'q4_0', true),
    ]
  },
  async run(bytes) {
    const checkpoint = await openCheckpoint(memoryFolder('fuzz', new Map([['model.gguf', bytes]])))
    for (const weight of checkpoint.stored.values())
      if (countOf(weight) <= MAX_ELEMENTS) await readElements(weight)
    if (checkpoint.tokenizerJson) new TextCodec(checkpoint).encodeText('a ab, ü')
  },
}
