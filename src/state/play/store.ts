// The playground's own state: a chat with several models, one text under the glass, one open set of prompts. Nothing
// of it is part of a link, of an experiment, or of what is shared: links are made of the main store alone.

import { create } from 'zustand'
import type {
  ChatAnswer,
  ChatSampling,
  PromptAnswered,
  PromptFit,
  TokenComparison,
} from '../../../workers/api/play.ts'
import type { Subject } from '../../../workers/api.ts'
import type { Failure } from '../failure.ts'
import type { Mapping, RowFilter } from './promptColumns.ts'
import type { Table } from './promptFile.ts'
import type { PromptSet, PromptSetHead } from './storage.ts'

/** One of the columns: the anchor, an expert, or the merge of the page. */
export interface Column {
  /** stays the same while λ and weights move */ key: string
  name: string
  subject: Subject
}

export type ReplyState = 'waiting' | 'speaking' | 'done' | 'stopped' | 'failed'

export interface Reply {
  state: ReplyState
  /** what has arrived */ text: string
  tokens: number
  /** once it has ended */ answer?: ChatAnswer
  failure?: Failure
  /** of the merge: mergeKey of the one that answered */ mergeKey?: string
  sampling: ChatSampling
}

export interface ChatTurn {
  id: number
  text: string
  /** by column */ replies: Record<string, Reply>
}

/** The answer whose tokens are looked at. */
export interface TokenLook {
  turnId: number
  columnKey: string
  /** whose words they are */ name: string
  status:
    | { kind: 'asking' }
    | { kind: 'failed'; failure: Failure }
    | { kind: 'known'; comparison: TokenComparison; names: string[] }
}

/** A run of a set through the models. */
export interface SetRun {
  id: number
  setId: string
  columns: Column[]
  /** mergeKey of the merge that answered */ mergeKey: string
  /** places of the set's rows that were asked */ places: number[]
  /** by column, in the order of places; undefined until it has come */
  answers: (PromptAnswered | undefined)[][]
  state: 'running' | 'done' | 'stopped' | 'failed'
}

/** A file whose columns have to be explained. */
export interface PendingFile {
  name: string
  text: string
  hasHeader: boolean
  table: Table
  mapping: Mapping
}

export interface PlayState {
  turns: ChatTurn[]
  isAnswering: boolean
  sampling: ChatSampling
  maxNewTokens: number
  /** keys of columns that are not asked */ hidden: string[]
  look: TokenLook | null

  sets: PromptSetHead[]
  set: PromptSet | null
  /** labels before each change of the open set, the latest last */ undo: PromptSet['rows'][]
  filter: RowFilter
  /** how the tokenizer of the models reads the open set's prompts, by place */ fits: PromptFit[] | null
  run: SetRun | null
  pending: PendingFile | null
  isReading: boolean
  /** the last change is written down */ isSaved: boolean
  failure: Failure | null
}

export const defaultSampling: ChatSampling = {
  temperature: 0,
  seed: 1,
  topK: 0,
  topP: 1,
  repetitionPenalty: 1,
}

export const initialPlay: PlayState = {
  turns: [],
  isAnswering: false,
  sampling: defaultSampling,
  maxNewTokens: 48,
  hidden: [],
  look: null,
  sets: [],
  set: null,
  undo: [],
  filter: { label: 'all', search: '' },
  fits: null,
  run: null,
  pending: null,
  isReading: false,
  isSaved: true,
  failure: null,
}

export const usePlay = create<PlayState>()(() => initialPlay)
export const readPlay = (): PlayState => usePlay.getState()
export const setPlay = usePlay.setState
