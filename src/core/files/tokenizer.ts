// Text to token ids and back, with the model's own chat template: a thin layer over Hugging Face's tokenizer
// and Jinja packages that fixes what a chat prompt, a completion and its end are. No sampling, no vocabulary
// surgery.

import { Template } from '@huggingface/jinja'
import { Tokenizer } from '@huggingface/tokenizers'
import { EngineError } from '../errors.ts'
import { type Checkpoint, requireTokenizer } from './checkpoint.ts'
import { messageOf } from './source.ts'

/** Stand-ins for user and assistant text: words that no template writes itself. */
const USER_MARK = 'uqzjuser'
const REPLY_MARK = 'uqzjreply'
const TOKENIZER_FILE = { file: 'tokenizer.json' }
const TEMPLATE_FILE = { file: 'tokenizer_config.json' }

/** One message of a chat. */
export interface Turn {
  role: 'user' | 'assistant'
  content: string
}

export class TextCodec {
  /** ids run from 0 to vocabSize − 1; at most the rows of the embedding */
  readonly vocabSize: number
  /** ids that end an answer: config, generation_config and the template's end of turn */
  readonly endTokens: readonly number[]
  /** id that the template writes after an answer; undefined without a template */
  readonly endOfTurn: number | undefined
  private readonly tokenizer: Tokenizer
  private readonly template: Template | undefined
  private readonly specials: Record<string, string>
  private readonly cleansSpaces: boolean
  /** what stands between the user's text and the answer, as text and ids */
  private readonly lead: { text: string; ids: number[] } | undefined

  /** Rejects `file-missing` without tokenizer.json, `file-unsupported`, `tokenizer-mismatch` with the embedding. */
  constructor(checkpoint: Pick<Checkpoint, 'name' | 'config' | 'tokenizerJson' | 'tokenizerConfig'>) {
    const { tokenizerJson, tokenizerConfig } = requireTokenizer(checkpoint as Checkpoint)
    this.tokenizer = openTokenizer(tokenizerJson, tokenizerConfig)
    this.cleansSpaces = tokenizerConfig.clean_up_tokenization_spaces === true
    this.specials = readSpecials(tokenizerConfig)
    this.template = openTemplate(tokenizerConfig)
    this.vocabSize = countIds(this.tokenizer)
    const rows = checkpoint.config.vocabSize
    if (this.vocabSize > rows)
      throw new EngineError(
        'tokenizer-mismatch',
        `the tokenizer has ids up to ${this.vocabSize - 1}, the embedding of ${checkpoint.name} ${rows} rows`,
        TOKENIZER_FILE,
      )
    this.lead = this.template && this.findLead()
    this.endOfTurn = this.template && this.findEndOfTurn(checkpoint.config.endTokens)
    const ends = [...checkpoint.config.endTokens, ...(this.endOfTurn === undefined ? [] : [this.endOfTurn])]
    this.endTokens = [...new Set(ends)]
  }

  /** Ids of a one-turn chat up to where the answer begins; `file-missing` without a chat template. */
  encodePrompt(userText: string): number[] {
    return this.ids(this.render([{ role: 'user', content: userText }], true))
  }

  /** Ids of a chat that ends with the user's words, up to where the answer begins; `file-missing` without a template. */
  encodeChat(turns: readonly Turn[]): number[] {
    return this.ids(this.render([...turns], true))
  }

  /** Ids of an answer as it follows a prompt, with the end-of-turn id; `file-missing` without a template. */
  encodeCompletion(text: string): number[] {
    if (!this.lead || this.endOfTurn === undefined) throw this.noTemplate()
    // Tokenizers may treat the start of a text unlike its middle, so the answer is read after its lead.
    const { text: leadText, ids: leadIds } = this.lead
    const both = this.ids(leadText + text)
    const follows = leadIds.every((id, i) => id === both[i])
    return [...(follows ? both.slice(leadIds.length) : this.ids(text)), this.endOfTurn]
  }

  /** Ids of plain text: no template, no special tokens added. */
  encodeText(text: string): number[] {
    return this.ids(text)
  }

  /** Text of ids; special tokens are left out. `request-invalid` for an id outside the vocabulary. */
  decode(ids: readonly number[]): string {
    const wrong = ids.find((id) => !Number.isInteger(id) || id < 0 || id >= this.vocabSize)
    if (wrong !== undefined)
      throw new EngineError('request-invalid', `token ${wrong}: expected 0 … ${this.vocabSize - 1}`)
    if (ids.length === 0) return ''
    return guarded(() =>
      this.tokenizer.decode([...ids], {
        skip_special_tokens: true,
        clean_up_tokenization_spaces: this.cleansSpaces,
      }),
    )
  }

  /** Token of an id as the vocabulary spells it, or undefined. */
  tokenOf(id: number): string | undefined {
    return this.tokenizer.id_to_token(id)
  }

  /** The template writes its own begin token, so the tokenizer must not add a second one. */
  private ids(text: string): number[] {
    const { ids, tokens } = guarded(() => this.tokenizer.encode(text, { add_special_tokens: false }))
    const missing = ids.findIndex((id) => typeof id !== 'number')
    if (missing >= 0)
      throw new EngineError(
        'file-unsupported',
        `the tokenizer has no id for ${JSON.stringify(tokens[missing])} and no unknown token`,
        TOKENIZER_FILE,
      )
    return ids
  }

  private render(messages: Turn[], addGenerationPrompt: boolean): string {
    if (!this.template) throw this.noTemplate()
    try {
      return this.template.render({
        ...this.specials,
        messages,
        add_generation_prompt: addGenerationPrompt,
      })
    } catch (error) {
      throw new EngineError(
        'file-unsupported',
        `the chat template cannot be run: ${messageOf(error)}`,
        TEMPLATE_FILE,
      )
    }
  }

  private noTemplate(): EngineError {
    return new EngineError(
      'file-missing',
      'no chat_template, so no chat can be written for this model',
      TEMPLATE_FILE,
    )
  }

  private findLead(): { text: string; ids: number[] } {
    const text = this.after(this.render([{ role: 'user', content: USER_MARK }], true), USER_MARK)
    return { text, ids: this.ids(text) }
  }

  /** First special token after an answer; a template without one falls back to the config's end token. */
  private findEndOfTurn(endTokens: readonly number[]): number {
    const turns: Turn[] = [
      { role: 'user', content: USER_MARK },
      { role: 'assistant', content: REPLY_MARK },
    ]
    const ids = this.ids(this.after(this.render(turns, false), REPLY_MARK))
    const added = this.tokenizer.get_added_tokens_decoder()
    const end = ids.find((id) => added.has(id)) ?? ids.find((id) => endTokens.includes(id)) ?? endTokens[0]
    if (end === undefined)
      throw new EngineError(
        'file-unsupported',
        'neither the chat template nor the config says how an answer ends',
        TEMPLATE_FILE,
      )
    return end
  }

  private after(rendered: string, mark: string): string {
    const at = rendered.lastIndexOf(mark)
    if (at < 0)
      throw new EngineError('file-unsupported', 'the chat template leaves the messages out', TEMPLATE_FILE)
    return rendered.slice(at + mark.length)
  }
}

/** The tokenizer of tokenizer.json and tokenizer_config.json; `file-unsupported` when it cannot be used. */
export function openTokenizer(json: Record<string, unknown>, config: Record<string, unknown>): Tokenizer {
  const extra = config.additional_special_tokens
  const complete = {
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    decoder: null,
    added_tokens: [],
    ...json,
  }
  const names = Array.isArray(extra) ? extra.map(tokenText).filter((t) => t !== undefined) : []
  assertIds(json, config)
  return guarded(() => new Tokenizer(complete, { ...config, additional_special_tokens: names }))
}

/** Four times the largest published vocabulary. The package fills every id up to the last: a forged one takes for ever. */
const MAX_ID = 2 ** 20

/** Throws `file-malformed` for an id that is none. */
function assertIds(json: Record<string, unknown>, config: Record<string, unknown>): void {
  const check = (id: unknown, token: unknown, place: { file: string }) => {
    if (Number.isInteger(id) && Number(id) >= 0 && Number(id) <= MAX_ID) return
    const what = `${String(JSON.stringify(id)).slice(0, 40)} of ${String(JSON.stringify(token)).slice(0, 80)}`
    throw new EngineError(
      'file-malformed',
      `token id ${what}: expected a whole number up to ${MAX_ID}`,
      place,
    )
  }
  const added = Array.isArray(json.added_tokens) ? json.added_tokens : []
  for (const token of added) check(token?.id, token?.content, TOKENIZER_FILE)
  const vocabulary = (json.model as { vocab?: unknown } | null | undefined)?.vocab
  if (typeof vocabulary === 'object' && vocabulary !== null && !Array.isArray(vocabulary))
    for (const [token, id] of Object.entries(vocabulary)) check(id, token, TOKENIZER_FILE)
  const decoder = config.added_tokens_decoder
  if (typeof decoder === 'object' && decoder !== null)
    for (const [id, token] of Object.entries(decoder)) check(Number(id), token, TEMPLATE_FILE)
}

/** The package checks little of a tokenizer.json: what is wrong in one comes to light as a TypeError, often on use. */
function guarded<T>(use: () => T): T {
  try {
    return use()
  } catch (error) {
    throw new EngineError(
      'file-unsupported',
      `the tokenizer cannot be used: ${messageOf(error)}`,
      TOKENIZER_FILE,
    )
  }
}

function countIds(tokenizer: Tokenizer): number {
  let last = -1
  for (const id of tokenizer.get_vocab().values()) last = Math.max(last, id)
  return last + 1
}

/** bos_token, eos_token and the like, as templates expect them. */
function readSpecials(config: Record<string, unknown>): Record<string, string> {
  const specials: Record<string, string> = {}
  for (const key of ['bos_token', 'eos_token', 'unk_token', 'pad_token', 'sep_token', 'cls_token']) {
    const text = tokenText(config[key])
    if (text !== undefined) specials[key] = text
  }
  return specials
}

/** A special token is a text, or an object that holds one. */
function tokenText(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  const content = (value as { content?: unknown } | null | undefined)?.content
  return typeof content === 'string' ? content : undefined
}

/** `chat_template` is one text, or a list of named ones with a default. */
function openTemplate(config: Record<string, unknown>): Template | undefined {
  let text = config.chat_template
  if (Array.isArray(text)) text = text.find((entry) => entry?.name === 'default')?.template
  if (text === undefined || text === null) return undefined
  if (typeof text !== 'string')
    throw new EngineError('file-malformed', 'chat_template: expected text', TEMPLATE_FILE)
  try {
    return new Template(text)
  } catch (error) {
    throw new EngineError(
      'file-unsupported',
      `the chat template cannot be read: ${messageOf(error)}`,
      TEMPLATE_FILE,
    )
  }
}
