// The typed interface between the page and the engine worker: types only, no code.
// Models never leave the worker; the page holds ids and small plain results, each carrying the key of the
// experiment it answers, so that a late result can never overwrite a newer one.

import type { ErrorCode, ErrorPlace } from '../src/core/errors.ts'
import type { AqiResult } from '../src/core/evaluate/aqi.ts'
import type { AqiView } from '../src/core/evaluate/aqiVectors.ts'
import type { Behaviour } from '../src/core/evaluate/behaviour.ts'
import type { Budget } from '../src/core/evaluate/budget.ts'
import type { ClusterPoints } from '../src/core/evaluate/clusterPlane.ts'
import type { Estimate } from '../src/core/evaluate/estimate.ts'
import type { LabellerAbout, LabellerSource } from '../src/core/evaluate/labeller/labeller.ts'
import type { MeasuredLabels } from '../src/core/evaluate/labeller/measureLabels.ts'
import type { ClassifierChoice } from '../src/core/evaluate/labeller/onnxLabeller.ts'
import type { AnswerKind } from '../src/core/evaluate/scorer.ts'
import type { AdapterSummary } from '../src/core/gpu/device.ts'
import type { SelfTestResult } from '../src/core/selfTest/selfTest.ts'
import type { GradientSource } from '../src/core/session/session.ts'
import type { GeometryNumbers } from '../src/core/session/summary.ts'
import type { PlayApi, PlayEvent } from './api/play.ts'
import type { ProbesApi } from './api/probes.ts'
import type { PushApi } from './api/push.ts'
import type { TrainedOrigin, TrainingApi } from './api/training.ts'

export type {
  AqiResult,
  AqiView,
  Behaviour,
  Budget,
  ClassifierChoice,
  ClusterPoints,
  ErrorCode,
  ErrorPlace,
  Estimate,
  MeasuredLabels,
  SelfTestResult,
}

/** Where a model's files came from; enough to open it again from a link. */
export type ModelOrigin =
  | { kind: 'built-in'; id: string }
  | { kind: 'url'; url: string }
  | { kind: 'files'; name: string /** SHA-256 of the weights, hex */; digest: string }
  | {
      kind: 'hub'
      /** owner/name */ repo: string
      /** commit, 40 hexadecimal digits */ revision: string
      /** address of a hub that is not the public one */ hub?: string
      /** file or folder in it, where it holds several models */ part?: string
    }
  | { kind: 'stored'; name: string /** SHA-256 of its files' names and hashes, hex */; digest: string }
  | TrainedOrigin

/** A model to open that is neither dropped files nor a plain address. */
export type SourceRequest =
  | { kind: 'hub'; repo: string /** commit */; revision: string; hub?: string; part?: string }
  | { kind: 'stored'; digest: string }
  | { kind: 'folder'; folder: FileSystemDirectoryHandle }

export type ModelRole = 'anchor' | 'task' | 'safety' | 'uncensored' | 'other'

export interface ModelSummary {
  id: string
  name: string
  role: ModelRole
  origin: ModelOrigin
  description: string
  /** what it was trained for, as the probes name it */
  skill?: string
  /** SHA-256 of its weight file, hex, where whoever serves it says so */
  digest?: string
  architecture: string
  parameterCount: number
  dtype: string
  layerCount: number
  hiddenSize: number
  byteLength: number
}

export interface EngineInfo extends AdapterSummary {
  /** no WebGPU: built-in models alone, shipped geometry, no gradients (cpuEngine.ts) */ isCpu?: boolean
}

export type { GradientSource }
export type MetricKind = 'fisher' | 'identity'
/** id of a merge method's declaration */
export type MethodId = string

/** What a further model stands for: an aligned one to add, an unaligned one to subtract. */
export type ReferenceRole = 'aligned' | 'unaligned'

/** The whole experiment: what the address bar carries. All numbers on the page follow from it. */
export interface Experiment {
  method: MethodId
  /** the method's own parameters by declared name; defaults where missing */
  parameters: Record<string, number | boolean | string>
  anchor: ModelOrigin
  experts: { origin: ModelOrigin /** λ_k, normalised to sum 1 */; weight: number }[]
  /** further models that some methods need */
  references: Partial<Record<ReferenceRole, ModelOrigin>>
  /** λ_align, 0 … 1024 */ lambdaAlign: number
  /** m, 1 … 16 */ rank: number
  /** ρ, share of mean F added to every coordinate, 1e-4 … 100 */ damping: number
  metric: MetricKind
  source: GradientSource
  fisher: { labels: 'sampled' | 'data'; form: 'sequence' | 'fast' }
  /** length of the antidote after the merge, % of ‖θ‖; 0 is none */ antidote: number
  /** probes of each class used for each measure, 64 … 240 */ probesPerClass: number
  seed: number
  /** the user's own prompts in place of built-in probes: a name, and what tells whether they are these; never the texts */
  probes?: { name: string /** SHA-256, hex; see share/promptSet.ts */; digest: string }
}

export interface Drift {
  /** D = ‖P_A δ‖_G with U from the estimating probes */ own: number
  /** with U from held-out probes */ heldOut: number
  /** with U from held-out probes of another gradient source */ otherSource: number
  /** ‖δ‖_G */ total: number
  /** D_l = (Σ_i (u_{i,l}ᵀ G_l δ_l)²)^½ with held-out U; the squares do not add up to D² */ byLayer: number[]
}

/** Whom a measurement is of. */
export type Subject = { kind: 'model'; id: string } | { kind: 'merge'; lambdaAlign: number }

/** One finished measurement; parts arrive one after another and are merged by key and subject. */
export interface MeasuredPart {
  /** key of the experiment without λ_align; see share/experimentKey */ key: string
  subject: Subject
  aqi?: Partial<Record<AqiView, AqiResult>>
  budget?: Partial<Record<AqiView, Budget>>
  behaviour?: Partial<Behaviour>
  drift?: Drift
  clusters?: Partial<Record<AqiView, ClusterPoints>>
  /** by the labeller that was plugged in when they were measured */ labels?: MeasuredLabels
  durationMs: number
}

/** What the sliders need of a geometry; see core/session/summary.ts. */
export interface GeometrySummary extends GeometryNumbers {
  /** geometryKey */ key: string
  durationMs: number
}

export interface Answer {
  subject: Subject
  label: string
  text: string
  verdict: AnswerKind
  durationMs: number
  /** what computed it, for people */ backend: string
}

export interface SecondOpinion {
  subject: Subject
  backend: string
  /** ‖ours − theirs‖ / ‖theirs‖ over all logits */ relativeError: number
  tokens: number
  bound: number
  passed: boolean
}

/** `labels` scores the answers of `behaviour`, which is measured first where it has not been. */
export type MeasurablePart = 'aqi' | 'behaviour' | 'labels' | 'drift'

/** What to plug in: the shipped rule set, a rule set, or an ONNX classifier with what its files leave open. */
export type LabellerRequest =
  | { kind: 'built-in' }
  | { kind: 'rules'; files: File[] }
  | ({ kind: 'onnx'; files: File[] } & ClassifierChoice)

export interface LabellerSummary extends LabellerAbout {
  source: LabellerSource
  origin: 'built-in' | 'files'
}

export interface Progress {
  jobId: number
  label: string
  /** done ≤ total, in units of work */ done: number
  total: number
}

/** What AlignMerge's rounds and search came to. */
export interface AlignReport {
  /** which stage of the search accepted; `fixed` without one */ stage: string
  /** of the written merge */ lambdaAlign: number
  /** share of δ kept, below 1 after a retreat towards the anchor */ scale: number
  rounds: number
  isAccepted: boolean
  /** on the accepting half of the estimating probes */
  budgets: { name: string; value: number; threshold: number; violation: number }[]
  /** merges made and measured on the way */ evaluations: number
}

export interface WrittenMerge {
  key: string
  durationMs: number
  align?: AlignReport
}

/** A search of weights on pairs that the models write themselves. */
export interface WeightSearch {
  /** names the search in its events */ searchId: number
  search: 'evolution' | 'gradient' | 'cocktail'
  /** w_align / w_task */ alpha: number
  evaluations: number
}

/** One evaluation of J(λ). */
export interface SearchPoint {
  evaluation: number
  /** J and its parts, mean cross-entropies in nats */ objective: number
  task: number
  safety: number
  /** least J up to here */ bestObjective: number
  weights: number[]
}

export interface WeightSearchResult {
  weights: number[]
  isStopped: boolean
  /** pairs of each kind that J is measured on */ pairs: Record<string, number> | null
}

/** The antidote of a merge; lengths in % of ‖θ‖ over the tensors that move. */
export interface AntidoteReport {
  length: number
  /** ‖ε_l‖ of each layer, and of what lies outside the layers */ byLayer: number[]
  outside: number
  /** share of the direction that was left when what hurts the task was taken out */ kept: number
  /** how the budget search ended */ stage?: string
}

export type EngineEvent =
  | { kind: 'progress'; progress: Progress }
  | { kind: 'measured'; part: MeasuredPart }
  | { kind: 'search'; searchId: number; point: SearchPoint }
  | { kind: 'device-lost'; reason: string }
  | PlayEvent

export interface EngineFailure {
  code: ErrorCode
  message: string
  where: ErrorPlace
}

export interface EngineApi extends PlayApi, ProbesApi, PushApi, TrainingApi {
  /** Opens the device; called again after a loss. Rejects `gpu-unavailable`. */
  open(onEvent: (event: EngineEvent) => void): Promise<EngineInfo>
  /** Reads the built-in zoo's index and weights. */
  openBuiltIn(jobId: number): Promise<ModelSummary[]>
  /** Reads the models of a micro family; their built-in ids are `family/model`. */
  openFamily(jobId: number, family: string): Promise<ModelSummary[]>
  /** Opens a Hugging Face folder from dropped files (File.webkitRelativePath or plain names). */
  openFiles(jobId: number, files: File[]): Promise<ModelSummary>
  /** Opens a Hugging Face folder below a URL. */
  openUrl(jobId: number, url: string): Promise<ModelSummary>
  /** Opens a model of a hub, a kept one, or a directory. The token is for this model's ranges and is not kept. */
  openSource(jobId: number, request: SourceRequest, token?: string): Promise<ModelSummary>
  close(id: string): Promise<void>
  /** Checks that anchor and experts fit; Fisher, A, eigenproblem, all projections. Cached by key. */
  prepare(jobId: number, experiment: Experiment): Promise<GeometrySummary>
  /** Writes the merge at the experiment's λ into the merge slot; milliseconds. */
  applyMerge(experiment: Experiment): Promise<WrittenMerge>
  /** Measures one subject; parts stream through onEvent. `parts` in order of arrival. */
  measure(jobId: number, experiment: Experiment, subject: Subject, parts: MeasurablePart[]): Promise<void>
  /** Plugs in a labeller for all measurements from now on; a failure leaves the one before in place. */
  setLabeller(jobId: number, request: LabellerRequest): Promise<LabellerSummary>
  /** The same prompt answered by anchor, each expert and the merge. */
  answer(jobId: number, experiment: Experiment, prompt: string): Promise<Answer[]>
  /** The merge as a Hugging Face folder in a zip. */
  exportZip(jobId: number, experiment: Experiment): Promise<Blob>
  /** The same written file by file into a directory the user picked. */
  exportDirectory(
    jobId: number,
    experiment: Experiment,
    directory: FileSystemDirectoryHandle,
  ): Promise<string[]>
  /** Every kernel and a model of each family against stored vectors; one that fails turns merging off. */
  selfTest(jobId: number): Promise<SelfTestResult>
  /** The same weights through onnxruntime-web on our device. */
  secondOpinion(jobId: number, experiment: Experiment, subject: Subject): Promise<SecondOpinion>
  /** Chooses λ_k by data; points stream through onEvent. */
  searchWeights(jobId: number, experiment: Experiment, request: WeightSearch): Promise<WeightSearchResult>
  /** The antidote at the experiment's share, or at the share that a budget search finds. */
  antidote(jobId: number, experiment: Experiment, isSearch: boolean): Promise<AntidoteReport>
  cancel(jobId: number): void
}
