// A made-up checkpoint of a few kilobytes for tests: config, byte-level tokenizer with a chat template, seeded
// weights. Not a model anyone would talk to, and not imported outside tests.

import { expect } from 'vitest'
import { EngineError, type ErrorCode, type ErrorPlace } from '../core/errors.ts'
import { type Dtype, dtypeOf } from '../core/files/safetensorsFormat.ts'
import { safetensorsHeader } from '../core/files/safetensorsWriter.ts'
import { listWeights } from '../core/model/families/decoder.ts'
import { readConfig } from '../core/model/families/registry.ts'
import { encodeWeights, type WeightType } from '../core/tensors/dtype.ts'
import { Random } from '../core/tensors/random.ts'

export const PHI3_TEMPLATE = `{% for message in messages %}{% if message['role'] == 'user' %}{{'<|user|>
' + message['content'] + '<|end|>
'}}{% elif message['role'] == 'assistant' %}{{'<|assistant|>
' + message['content'] + '<|end|>
'}}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>
' }}{% else %}{{ eos_token }}{% endif %}`

export const SPECIALS = ['<|endoftext|>', '<s>', '<|user|>', '<|assistant|>', '<|end|>']

/** Byte-level BPE over printable ASCII, newline and space, with the merges "h e" and "he l". */
export function tinyTokenizer(): Record<string, unknown> {
  const characters = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i))
  const tokens = [...characters, 'Ġ', 'Ċ', 'he', 'hel']
  return {
    version: '1.0',
    added_tokens: SPECIALS.map((content, i) => ({
      id: tokens.length + i,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    // Adds <s> unless told otherwise, as many published tokenizers do.
    post_processor: {
      type: 'TemplateProcessing',
      single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
      pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 0 } }],
      special_tokens: { '<s>': { id: '<s>', ids: [tokens.length + 1], tokens: ['<s>'] } },
    },
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      fuse_unk: false,
      byte_fallback: false,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: ['h e', 'he l'],
    },
  }
}

/** Id of a token of `tinyTokenizer`. */
export function tinyId(token: string): number {
  const special = SPECIALS.indexOf(token)
  if (special >= 0) return 98 + special
  return (tinyTokenizer().model as { vocab: Record<string, number> }).vocab[token]
}

export function tinyConfig(): Record<string, unknown> {
  return {
    architectures: ['Phi3ForCausalLM'],
    model_type: 'phi3',
    hidden_size: 8,
    intermediate_size: 12,
    num_hidden_layers: 2,
    num_attention_heads: 2,
    num_key_value_heads: 1,
    vocab_size: 104,
    max_position_embeddings: 64,
    original_max_position_embeddings: 64,
    rms_norm_eps: 1e-5,
    tie_word_embeddings: false,
    eos_token_id: tinyId('<|endoftext|>'),
    bos_token_id: tinyId('<s>'),
    torch_dtype: 'float32',
  }
}

export interface RawTensor {
  name: string
  dtype: Dtype
  shape: number[]
  bytes: Uint8Array
}

/** Weights that `config` asks for, normal, seeded. */
export function tinyTensors(config = tinyConfig(), type: WeightType = 'bf16', seed = 1): RawTensor[] {
  const random = new Random(seed)
  return listWeights(readConfig(config)).map(({ name, shape }) => {
    const count = shape.reduce((a, b) => a * b, 1)
    return { name, dtype: dtypeOf(type), shape, bytes: encodeWeights(random.normals(count), type) }
  })
}

/** One safetensors file in memory. */
export function packTensors(tensors: RawTensor[], metadata: Record<string, string> = {}): Uint8Array {
  return concat([safetensorsHeader(tensors, metadata), ...tensors.map(({ bytes }) => bytes)])
}

/** Files of a whole folder, to be changed by the test. */
export function tinyFiles(config = tinyConfig(), type: WeightType = 'bf16', seed = 1) {
  return new Map<string, Uint8Array | string>([
    ['config.json', JSON.stringify(config)],
    ['generation_config.json', JSON.stringify({ eos_token_id: [98, tinyId('<|end|>')] })],
    ['tokenizer.json', JSON.stringify(tinyTokenizer())],
    [
      'tokenizer_config.json',
      JSON.stringify({
        bos_token: '<s>',
        eos_token: { content: '<|endoftext|>' },
        chat_template: PHI3_TEMPLATE,
      }),
    ],
    ['model.safetensors', packTensors(tinyTensors(config, type, seed), { format: 'pt' })],
  ])
}

export function concat(parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.byteLength
  }
  return out
}

/** Expects an EngineError of `code`, whose place and message hold all of `where`; returns it. */
export async function expectFailure(
  run: Promise<unknown> | (() => unknown),
  code: ErrorCode,
  where: ErrorPlace = {},
): Promise<EngineError> {
  let error: unknown
  try {
    await (typeof run === 'function' ? run() : run)
  } catch (thrown) {
    error = thrown
  }
  expect(error).toBeInstanceOf(EngineError)
  const failure = error as EngineError
  expect(failure.code, failure.message).toBe(code)
  expect(failure.where, failure.message).toMatchObject(where)
  for (const [key, value] of Object.entries(where)) expect(failure.message).toContain(`${key} ${value}`)
  return failure
}
