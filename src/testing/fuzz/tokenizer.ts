// tokenizer.json and tokenizer_config.json to be damaged: opened, text encoded and decoded, a chat written.

import { openCheckpoint } from '../../core/files/checkpoint.ts'
import { memoryFolder } from '../../core/files/folder.ts'
import { assertMergeable } from '../../core/files/mergeable.ts'
import { TextCodec } from '../../core/files/tokenizer.ts'
import { tinyFiles, tinyTokenizer } from '../tinyCheckpoint.ts'
import type { FuzzTarget } from './target.ts'

const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))

/** A vocabulary of scored pieces, as converted from sentencepiece. */
function unigram(): Record<string, unknown> {
  const pieces = ['<unk>', '▁', 'a', 'b', 'ab', '▁ab', 'c', '▁hello', 'h', 'e', 'l', 'o']
  return {
    version: '1.0',
    added_tokens: [{ id: 12, content: '<s>', special: true }],
    normalizer: { type: 'Sequence', normalizers: [{ type: 'NFKC' }, { type: 'Prepend', prepend: '▁' }] },
    pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'first' },
    post_processor: null,
    decoder: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'first' },
    model: { type: 'Unigram', unk_id: 0, vocab: pieces.map((piece, i) => [piece, -i]) },
  }
}

async function use(change: Record<string, Uint8Array>): Promise<void> {
  const files = tinyFiles()
  const good = await openCheckpoint(memoryFolder('good', tinyFiles()))
  for (const [path, bytes] of Object.entries(change)) files.set(path, bytes)
  const checkpoint = await openCheckpoint(memoryFolder('fuzz', files))
  const isUnigram = (checkpoint.tokenizerJson?.model as { type?: unknown } | undefined)?.type === 'Unigram'
  // Its specials are others than the chat template's.
  const tokenizerConfig = isUnigram ? {} : checkpoint.tokenizerConfig
  const codec = new TextCodec({ ...checkpoint, tokenizerConfig })
  codec.decode(codec.encodeText('hello ab, ü 12').slice(0, 8))
  if (!isUnigram) {
    codec.encodePrompt('hello')
    codec.encodeCompletion('abc')
    assertMergeable(good, [checkpoint])
  }
}

const json: FuzzTarget = {
  name: 'tokenizer',
  seeds: () => [encode(tinyTokenizer()), encode(unigram())],
  run: (bytes) => use({ 'tokenizer.json': bytes }),
}

const config: FuzzTarget = {
  name: 'tokenizer config',
  seeds: () => [new TextEncoder().encode(String(tinyFiles().get('tokenizer_config.json')))],
  run: (bytes) => use({ 'tokenizer_config.json': bytes }),
}

export const targets: readonly FuzzTarget[] = [json, config]
