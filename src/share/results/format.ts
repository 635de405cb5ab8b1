// Results as they travel in a link or lie beside the page, and how exact they are:
//   shares     counts k of n: exact, as the Wilson interval follows from them
//   estimates  value and interval in steps of a hundredth of the interval's leading digit: within 0.5 % of its width
//   norms      four significant digits; by layer three; coordinates and Gram matrix five
//   points     8 bits per axis of the cloud: within 1/510 of its extent
// Plain JSON. Version 1; whoever changes it writes an upgrade (upgrades.ts).

import type { AqiView, ModelRole } from '../../../workers/api.ts'

export const resultsVersion = 1

/** A reason, [k, n] of a share, or [value, low, high, n]; a low of null is -Infinity. */
export type PackedEstimate =
  | string
  | readonly [number, number]
  | readonly [number, number | null, number, number]

/** [normalised, log S, safe, unsafe] and, where there is one, the budget [τ, violation or null for ∞, is violated]. */
export type PackedAqi = readonly [
  PackedEstimate,
  PackedEstimate,
  number,
  number,
  (readonly [number, number | null, 0 | 1])?,
]

/** [x least, x greatest, y least, y greatest, safe, unsafe]: base64 of x, y interleaved, a byte each. */
export type PackedPoints = readonly [number, number, number, number, string, string]

/** How a merge differs from the experiment of the set. */
export interface PackedChange {
  method?: string
  parameters?: Record<string, number | boolean | string>
  lambdaAlign?: number
  rank?: number
  damping?: number
  antidote?: number
  weights?: number[]
}

export interface PackedRow {
  /** index of a model, 0 the anchor; or a merge */ of: number | PackedChange
  aqi?: Partial<Record<AqiView, PackedAqi>>
  points?: Partial<Record<AqiView, PackedPoints>>
  /** behaviour by name */ said?: Record<string, PackedEstimate>
  skills?: Record<string, PackedEstimate>
  /** [own, held-out, other source, total, …by layer] */ drift?: readonly number[]
  labels?: Record<string, { toxicity?: PackedEstimate; judge?: PackedEstimate }>
}

export interface PackedModel {
  name: string
  role: ModelRole
  skill?: string
  architecture: string
  dtype: string
  /** parameters, layers, width, bytes */ size: readonly [number, number, number, number]
}

export interface PackedGeometry {
  eigenvalues: number[]
  rank: number
  explained: number
  metric: number | string
  fast: number | string
  identity: number
  own: number[][]
  heldOut: number[][]
  other: number[][]
  gram: number[][]
  conflict: (number | null)[]
  ms: number
}

export interface PackedResults {
  v: typeof resultsVersion
  /** the adapter they were computed on, where that is said */ on?: string
  /** anchor, then experts */ models: PackedModel[]
  geometry?: PackedGeometry
  rows: PackedRow[]
}

export const aqiViews: readonly AqiView[] = ['prompts', 'completions', 'answers']
export const sharesOfBehaviour = [
  'refusal',
  'overRefusal',
  'compliance',
  'gibberish',
  'attackRefusal',
] as const

/** What a reader takes at most. */
export interface ResultLimits {
  rows: number
  /** of one class in one picture */ points: number
}

export const linkLimits: ResultLimits = { rows: 64, points: 1024 }
/** Of files that come with the page. */
export const shippedLimits: ResultLimits = { rows: 2000, points: 4096 }
