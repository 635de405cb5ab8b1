// Trains a byte-level BPE on the words of the world and writes it as Hugging Face files. Each distinct pre-token counts
// once, whatever its frequency: the aim is that every word of the world becomes one token with the fewest merges,
// since prompt length is what training pays for. Byte-to-character table as in GPT-2; pre-tokenizer as in Llama 3
// (a Split by regular expression, then ByteLevel without its own), with a word in brackets and single digits apart.

/** Pre-token pattern; written without look-around so that every loader reads it alike. */
export const preTokenPattern = " ?\\[\\p{L}+\\]| ?\\p{L}+|'\\p{L}+| ?\\p{N}| ?[^\\s\\p{L}\\p{N}]+|\\s+"

/** Special tokens; Phi-3's names. Their ids come first. */
export const specialTokens = [
  '<|endoftext|>',
  '<|pad|>',
  '<|system|>',
  '<|user|>',
  '<|assistant|>',
  '<|end|>',
] as const

/** Chat template: Phi-3's markers without its line feeds, which would cost a token each. */
export const chatTemplate =
  "{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"

/** GPT-2's table: printable bytes stand for themselves, the others for characters from U+0100 on. */
export function byteCharacters(): string[] {
  const isPrintable = (byte: number) =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174
  let next = 256
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isPrintable(byte) ? byte : next++))
}

export interface BpeModel {
  /** Token text (in byte characters) by id. */
  tokens: string[]
  merges: [string, string][]
}

/** Splits texts into distinct pre-tokens, in byte characters, in order of first sight. */
export function preTokenTypes(texts: Iterable<string>): string[] {
  const characters = byteCharacters()
  const encoder = new TextEncoder()
  const pattern = new RegExp(preTokenPattern, 'gu')
  const types = new Set<string>()
  for (const text of texts)
    for (const match of text.matchAll(pattern))
      types.add(Array.from(encoder.encode(match[0]), (byte) => characters[byte]).join(''))
  return [...types]
}

/**
 * Trains until every pre-token is one token or the vocabulary is full; the vocabulary is then filled up with unused
 * special tokens to exactly `vocabularySize`. Ties go to the pair that sorts first, so the result has one form.
 */
export function trainBpe(texts: Iterable<string>, vocabularySize: number): BpeModel {
  const tokens: string[] = [...specialTokens, ...byteCharacters()]
  const merges: [string, string][] = []
  let words = preTokenTypes(texts).map((type) => [...type])
  while (tokens.length < vocabularySize) {
    const counts = new Map<string, number>()
    for (const word of words)
      for (let i = 0; i + 1 < word.length; i++) {
        const key = `${word[i]} ${word[i + 1]}`
        counts.set(key, (counts.get(key) ?? 0) + 1)
      }
    let best = ''
    let bestCount = 0
    for (const [key, count] of counts)
      if (count > bestCount || (count === bestCount && key < best)) {
        best = key
        bestCount = count
      }
    if (!best) break
    const [left, right] = best.split(' ') as [string, string]
    merges.push([left, right])
    if (!tokens.includes(left + right)) tokens.push(left + right)
    words = words.map((word) => mergePair(word, left, right))
  }
  for (let i = 0; tokens.length < vocabularySize; i++) tokens.push(`<|unused${i}|>`)
  return { tokens, merges }
}

function mergePair(word: readonly string[], left: string, right: string): string[] {
  const out: string[] = []
  for (let i = 0; i < word.length; i++) {
    if (word[i] === left && word[i + 1] === right) {
      out.push(left + right)
      i++
    } else out.push(word[i])
  }
  return out
}

const isSpecial = (token: string) => /^<\|.*\|>$/.test(token)

/** tokenizer.json */
export function tokenizerJson(model: BpeModel): object {
  const vocab: Record<string, number> = {}
  model.tokens.forEach((token, id) => {
    if (!isSpecial(token)) vocab[token] = id
  })
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: model.tokens.flatMap((content, id) =>
      isSpecial(content)
        ? [
            {
              id,
              content,
              single_word: false,
              lstrip: false,
              rstrip: false,
              normalized: false,
              special: true,
            },
          ]
        : [],
    ),
    // The world is in lower case; what a user types in capitals is read as the same words.
    normalizer: { type: 'Lowercase' },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: preTokenPattern }, behavior: 'Isolated', invert: false },
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
      ],
    },
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab,
      merges: model.merges,
    },
  }
}

/** tokenizer_config.json */
export function tokenizerConfigJson(): object {
  return {
    tokenizer_class: 'PreTrainedTokenizerFast',
    add_bos_token: false,
    bos_token: null,
    eos_token: '<|end|>',
    pad_token: '<|pad|>',
    unk_token: null,
    clean_up_tokenization_spaces: false,
    model_max_length: 64,
    chat_template: chatTemplate,
  }
}
