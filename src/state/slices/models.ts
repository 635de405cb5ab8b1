// What is loaded: the engine's state and the models it holds. Lives as long as the worker.

import type { EngineInfo, LabellerSummary, ModelSummary, SelfTestResult } from '../../../workers/api.ts'
import type { Failure } from '../failure.ts'

export type EngineStatus =
  | { kind: 'opening' }
  | { kind: 'ready'; info: EngineInfo }
  /** No WebGPU here; `reason` is the engine's own message. */
  | { kind: 'unsupported'; reason: string }
  | { kind: 'lost'; reason: string }
  | { kind: 'failed'; failure: Failure }

export interface ModelsSlice {
  engine: EngineStatus
  /** Why the engine that is open, or tried, does without WebGPU; null while it has it. */
  withoutGpu: string | null
  /** How often the device was lost since the page was opened. */
  losses: number
  list: ModelSummary[]
  /** What scores answers; null until the shipped one is read. */
  labeller: LabellerSummary | null
  /** Of this adapter, since the engine was opened. */
  selfTest: SelfTestResult | null
  /** The built-in models are being read. */
  isLoading: boolean
}

export const initialModels: ModelsSlice = {
  engine: { kind: 'opening' },
  withoutGpu: null,
  losses: 0,
  list: [],
  labeller: null,
  selfTest: null,
  isLoading: true,
}
