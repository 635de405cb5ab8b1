// What the page "Merge" shows: a store of its own, because nothing of it belongs to the experiment in the address bar.

import { create } from 'zustand'
import type {
  MergeProgress,
  Preflight,
  StoredAs,
  StreamedEstimate,
  StreamedModel,
  StreamedResult,
  VocabularyChoice,
  WrittenAs,
} from '../../../workers/streamedApi.ts'
import { t } from '../../language/translate.ts'
import { findMethod, type ParameterScalar, parameterValue } from '../../share/methods.ts'
import type { Failure } from '../failure.ts'

/** A model that was added, and what it is in the merge. */
export interface Part extends StreamedModel {
  role: 'base' | 'model' | 'unused'
  weight: number
}

/** A merge that stands in the browser's private file system. */
export interface KeptMerge {
  name: string
  bytes: number
  isFinished: boolean
}

export type Target = { kind: 'private'; name: string } | { kind: 'directory'; name: string }

export type Status =
  | { kind: 'idle' }
  | { kind: 'opening' }
  | { kind: 'running'; isPaused: boolean; progress: MergeProgress | null }
  | { kind: 'stopped'; progress: MergeProgress | null }
  | { kind: 'done'; result: StreamedResult }

export interface StreamedState {
  parts: Part[]
  method: string
  /** of the method, by declared name; defaults where missing */
  parameters: Record<string, ParameterScalar>
  storedAs: StoredAs
  writtenAs: WrittenAs
  vocabulary: VocabularyChoice
  target: Target
  /** megabytes of host and device together */
  budget: number
  seed: number
  /** of the models as they are listed; null while they are looked at */
  preflight: Preflight | null
  estimate: StreamedEstimate | null
  status: Status
  kept: KeptMerge[]
  failure: Failure | null
}

export const DEFAULT_BUDGET_MB = 1500

export const initialStreamed = (): StreamedState => ({
  parts: [],
  method: 'linear',
  parameters: {},
  storedAs: 'bfloat16',
  writtenAs: 'safetensors',
  vocabulary: 'same',
  target: { kind: 'private', name: 'merge' },
  budget: DEFAULT_BUDGET_MB,
  seed: 1,
  preflight: null,
  estimate: null,
  status: { kind: 'idle' },
  kept: [],
  failure: null,
})

export const useStreamed = create<StreamedState>()(initialStreamed)

/** Parameters by what they belong to: the merge, or each of its models. */
export function splitParameters({ method, parameters }: Pick<StreamedState, 'method' | 'parameters'>): {
  own: Record<string, ParameterScalar>
  ofModels: Record<string, ParameterScalar>
  hasWeight: boolean
} {
  const own: Record<string, ParameterScalar> = {}
  const ofModels: Record<string, ParameterScalar> = {}
  let hasWeight = false
  for (const declared of findMethod(method)?.parameters ?? []) {
    if (declared.id === 'weight') hasWeight = true
    else if (declared.scope === 'global') own[declared.id] = parameterValue(parameters, declared)
    else ofModels[declared.id] = parameterValue(parameters, declared)
  }
  return { own, ofModels, hasWeight }
}

/** Why the merge cannot be asked for, for a person; undefined when it can. */
export function streamedFault({ parts, method }: StreamedState): string | undefined {
  const declaration = findMethod(method)
  if (!declaration) return t('no method {method}', { method })
  const models = parts.filter(({ role }) => role === 'model').length
  const bases = parts.filter(({ role }) => role === 'base').length
  const { min, max } = declaration.experts
  const label = t(declaration.label)
  if (models < min || models > max)
    return min === max
      ? t('{label} merges {count} models; {chosen} are chosen', { label, count: min, chosen: models })
      : t('{label} merges {min} to {max} models; {chosen} are chosen', { label, min, max, chosen: models })
  if (bases > 1) return t('one base at most')
  if (declaration.base === 'required' && bases === 0) return t('{label} needs a base', { label })
  if (declaration.base === 'none' && bases > 0) return t('{label} takes no base', { label })
  return undefined
}
