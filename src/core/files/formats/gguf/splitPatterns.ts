// How byte-level BPE texts are cut into words, by the name that `tokenizer.ggml.pre` gives: the regular expressions of
// the models' own tokenizer.json. llama.cpp's list of names is longer; here are those that the five families use.

/** As tokenizer.json has them; several are applied one after another. */
export interface SplitRule {
  patterns: readonly string[]
  /** a word that is a token is taken whole, whatever the merges say */
  ignoreMerges?: boolean
}

const GPT2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"
const TAIL = '| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+'
const WORD = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+"
const UPPER = '[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]'
const LOWER = '[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]'
const CASED_TAIL = '| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+'
const ENDING = "(?i:'s|'t|'re|'ve|'m|'ll|'d)?"

const LLAMA3: SplitRule = { patterns: [`${WORD}|\\p{N}{1,3}${TAIL}`], ignoreMerges: true }
const QWEN2: SplitRule = { patterns: [`${WORD}|\\p{N}${TAIL}`] }
const DIGITS: SplitRule = { patterns: ['\\p{N}', GPT2] }

/** Names that a writer uses come first among equals. */
export const SPLIT_RULES: Readonly<Record<string, SplitRule>> = {
  'gpt-2': { patterns: [GPT2] },
  'llama-bpe': LLAMA3,
  llama3: LLAMA3,
  'llama-v3': LLAMA3,
  'smaug-bpe': LLAMA3,
  dbrx: { patterns: LLAMA3.patterns },
  qwen2: QWEN2,
  'deepseek-r1-qwen': QWEN2,
  stablelm2: QWEN2,
  'gpt-4o': {
    patterns: [`${UPPER}*${LOWER}+${ENDING}|${UPPER}+${LOWER}*${ENDING}|\\p{N}{1,3}${CASED_TAIL}`],
  },
  tekken: { patterns: [`${UPPER}*${LOWER}+|${UPPER}+${LOWER}*|\\p{N}${CASED_TAIL}`], ignoreMerges: true },
  smollm: DIGITS,
  starcoder: DIGITS,
  'command-r': DIGITS,
  refact: DIGITS,
  'phi-2': { patterns: [GPT2] },
  default: { patterns: ['[\\p{P}\\$\\+<=>\\^~\\|]+', GPT2, '\\p{N}+', '[0-9][0-9][0-9]'] },
}
