// The playground: chats with several models, probabilities of tokens, sets of prompts. Types only. What is typed there
// is in these calls and nowhere else: no link and no result carries it.

import type { ChatSampling } from '../../src/core/evaluate/sampling.ts'
import type { AnswerKind } from '../../src/core/evaluate/scorer.ts'
import type { TokenFit, UserProbeSet, UserPrompt } from '../../src/core/evaluate/userProbes.ts'
import type { Turn } from '../../src/core/files/tokenizer.ts'
import type { EngineFailure, Experiment, Subject } from '../api.ts'

export type { AnswerKind, ChatSampling, TokenFit, Turn, UserProbeSet, UserPrompt }

/** Who is asked, with the chat as it went with them; the user's words stand last. */
export interface ChatColumn {
  subject: Subject
  turns: Turn[]
}

export interface ChatRequest {
  /** names the chat in its events */ chatId: number
  columns: ChatColumn[]
  sampling: ChatSampling
  maxNewTokens: number
}

export interface ChatAnswer {
  subject: Subject
  text: string
  /** the end token included when one came */ ids: number[]
  /** the answer was closed by an end token */ isEnded: boolean
  verdict: AnswerKind
  /** what computed it, for people */ backend: string
  /** of its own turns */ durationMs: number
  /** tokens of the chat before the answer, and positions of the model */ promptTokens: number
  maxPositions: number
  failure?: EngineFailure
}

export interface TokenRequest {
  /** the chat before the answer */ turns: Turn[]
  /** the answer, as ids that a model gave or as text */ answer: { ids: number[] } | { text: string }
  /** the first is what the others are compared with */ subjects: Subject[]
}

/** A token that would have been likelier, or less so. */
export interface TokenAlternative {
  id: number
  text: string
  /** nats */ logProbability: number
}

/** Each model's view of the tokens of a text. */
export interface TokenComparison {
  tokens: { id: number; text: string }[]
  models: {
    subject: Subject
    /** nats, per token */ logProbabilities: number[]
    /** 1 is the likeliest */ ranks: number[]
    alternatives: TokenAlternative[][]
    /** KL(model ‖ first model), nats, per position */ divergences: number[]
  }[]
  /** what computed it, for people */ backend: string
  durationMs: number
}

export interface PromptRun {
  /** names the run in its events */ runId: number
  prompts: string[]
  subjects: Subject[]
  maxNewTokens: number
}

export interface PromptAnswered {
  text: string
  verdict: AnswerKind
  isEnded: boolean
}

/** How the anchor's tokenizer reads a prompt. */
export interface PromptFit extends TokenFit {
  /** it leaves room for an answer */ hasRoom: boolean
}

export type PlayEvent =
  | { kind: 'said'; chatId: number; column: number; text: string; tokens: number }
  | { kind: 'prompts-answered'; runId: number; subject: number; first: number; answers: PromptAnswered[] }

export interface PlayApi {
  /** One question to several models, which answer a token each in turn; text streams through onEvent. */
  chat(jobId: number, experiment: Experiment, request: ChatRequest): Promise<ChatAnswer[]>
  /** Probabilities of each token of a text under each model; `not-finite` names a model without any. */
  tokenProbabilities(jobId: number, experiment: Experiment, request: TokenRequest): Promise<TokenComparison>
  /** Greedy answers of each subject to each prompt; they stream through onEvent, in batches. */
  answerPrompts(jobId: number, experiment: Experiment, run: PromptRun): Promise<void>
  /** How the anchor's tokenizer reads prompts, in their order. */
  inspectPrompts(
    jobId: number,
    experiment: Experiment,
    prompts: UserProbeSet['prompts'],
  ): Promise<PromptFit[]>
  /** Lays down prompts that experiments may name by this digest; `hash-mismatch` where it is not theirs. */
  usePrompts(digest: string, set: UserProbeSet): Promise<void>
}
