// Every symbol that a formula on the page is made of: how it is written, what it means, its unit, where it comes from.

/** `paper`: arXiv 2512.16245; `standard`: common practice; `ours`: our reconstruction. */
export type SymbolSource = 'paper' | 'standard' | 'ours'

export interface SymbolEntry {
  write: { base: string; over?: string; below?: string; above?: string }
  /** in words, as one would say it */
  name: string
  meaning: string
  unit: string
  source: SymbolSource
  /** where it is defined */
  origin: string
  /** glossary entry */
  term?: string
}

const paper = { source: 'paper', origin: 'AlignMerge, arXiv 2512.16245' } as const
const ours = { source: 'ours', origin: 'ours; the paper’s own form is not public' } as const
const standard = (origin: string) => ({ source: 'standard', origin }) as const

export const symbols = {
  L: {
    write: { base: 'L' },
    name: 'objective',
    meaning: 'What the merge makes small: distance to the experts, plus what alignment asks for.',
    unit: 'none',
    term: 'objective',
    ...paper,
  },
  Lgeo: {
    write: { base: 'L', below: 'geo' },
    name: 'distance to the experts',
    meaning: 'Weighted mean of the squared distances to all experts, measured by the metric.',
    unit: 'nats, to second order',
    term: 'barycentre',
    ...paper,
  },
  Lalign: {
    write: { base: 'L', below: 'align' },
    name: 'alignment shield',
    meaning: 'Squared motion along the alignment directions.',
    unit: 'nats, to second order',
    term: 'shield',
    ...ours,
  },
  Lbud: {
    write: { base: 'L', below: 'bud' },
    name: 'alignment budget',
    meaning: 'Squared shortfall of each watched score below its threshold; nothing while it holds.',
    unit: 'nats²',
    term: 'budget',
    ...ours,
  },
  lambdaAlign: {
    write: { base: 'λ', below: 'align' },
    name: 'weight of the shield',
    meaning: 'Each alignment coordinate is divided by 1 + λ. 0 is the plain average.',
    unit: 'none',
    term: 'shield',
    ...paper,
  },
  lambdaBud: {
    write: { base: 'λ', below: 'bud' },
    name: 'weight of the budget',
    meaning: 'How much a shortfall counts; at 1024 the budget is met to first order. 0 while there is none.',
    unit: 'none',
    term: 'budget',
    ...paper,
  },
  lambdaK: {
    write: { base: 'λ', below: 'k' },
    name: 'weight of expert k',
    meaning: 'Share of expert k; all shares add up to 1.',
    unit: 'none',
    term: 'expert',
    ...paper,
  },
  delta: {
    write: { base: 'δ' },
    name: 'displacement',
    meaning: 'Where the merge lies, seen from the anchor: δ = θ − θ_IT.',
    unit: 'weights',
    term: 'displacement',
    ...paper,
  },
  deltaStar: {
    write: { base: 'δ', above: '∗' },
    name: 'displacement of the merge',
    meaning: 'The δ at which the objective is least.',
    unit: 'weights',
    term: 'displacement',
    ...ours,
  },
  deltaBar: {
    write: { base: 'δ', over: '¯' },
    name: 'displacement of the average',
    meaning: 'Weighted mean of the experts’ displacements: the plain average, seen from the anchor.',
    unit: 'weights',
    term: 'barycentre',
    ...paper,
  },
  DeltaK: {
    write: { base: 'Δ', below: 'k' },
    name: 'displacement of expert k',
    meaning: 'Where expert k lies, seen from the anchor: Δ_k = θ_k − θ_IT.',
    unit: 'weights',
    term: 'displacement',
    ...paper,
  },
  G: {
    write: { base: 'G' },
    name: 'metric',
    meaning: 'What counts as far: the Fisher information of the anchor, its diagonal, damped.',
    unit: 'nats per weight²',
    term: 'metric',
    ...paper,
  },
  F: {
    write: { base: 'F' },
    name: 'Fisher information',
    meaning: 'How fast the model’s predictions change when weights move.',
    unit: 'nats per weight²',
    term: 'fisher',
    ...standard('Fisher 1922; diagonal, damped'),
  },
  Fk: {
    write: { base: 'F', below: 'k' },
    name: 'Fisher information of expert k',
    meaning: 'How fast expert k’s predictions change when its weights move.',
    unit: 'nats per weight²',
    term: 'fisher',
    ...standard('Matena & Raffel, arXiv 2111.09832'),
  },
  f: {
    write: { base: 'f' },
    name: 'Fisher diagonal',
    meaning: 'One number for each weight: the mean squared gradient of the log-likelihood.',
    unit: 'nats per weight²',
    term: 'fisher',
    ...standard('diagonal of F'),
  },
  g: {
    write: { base: 'g' },
    name: 'diagonal of the metric',
    meaning: 'The Fisher diagonal with a little of its own mean added.',
    unit: 'nats per weight²',
    term: 'damping',
    ...ours,
  },
  rho: {
    write: { base: 'ρ' },
    name: 'damping',
    meaning: 'Share of the mean Fisher value that is added to every coordinate.',
    unit: '× mean of f',
    term: 'damping',
    ...ours,
  },
  PA: {
    write: { base: 'P', below: 'A' },
    name: 'projector',
    meaning: 'Keeps of a displacement only what lies along the alignment directions.',
    unit: 'none',
    term: 'projector',
    ...paper,
  },
  U: {
    write: { base: 'U' },
    name: 'alignment directions',
    meaning: 'The directions along which refusals change fastest for their length, at right angles in G.',
    unit: 'weights per √nat',
    term: 'subspace',
    ...ours,
  },
  ui: {
    write: { base: 'u', below: 'i' },
    name: 'alignment direction i',
    meaning: 'The i-th of them, of length 1 in the metric.',
    unit: 'weights per √nat',
    term: 'subspace',
    ...ours,
  },
  wi: {
    write: { base: 'w', below: 'i' },
    name: 'weight of direction i',
    meaning: 'All 1, or μ_i/μ_1 when sensitive directions shall count more.',
    unit: 'none',
    term: 'subspace',
    ...ours,
  },
  ci: {
    write: { base: 'c', below: 'i' },
    name: 'alignment coordinate',
    meaning: 'How far the average has moved along direction i.',
    unit: '√nat, to second order',
    term: 'coordinate',
    ...ours,
  },
  share: {
    write: { base: 's' },
    name: 'share taken away',
    meaning: 'The part of each alignment coordinate that the shield removes: λ/(1 + λ).',
    unit: 'none',
    term: 'shield',
    ...ours,
  },
  D: {
    write: { base: 'D' },
    name: 'drift',
    meaning: 'How far the merge has moved along alignment directions.',
    unit: '√nat, to second order',
    term: 'drift',
    ...ours,
  },
  tau: {
    write: { base: 'τ', below: 'r' },
    name: 'threshold',
    meaning: 'The anchor’s own score: what the merge may not fall below.',
    unit: 'nats',
    term: 'budget',
    ...ours,
  },
  ar: {
    write: { base: 'a', below: 'r' },
    name: 'watched score',
    meaning: 'Refusal margin, compliance margin or log S of the merge at δ.',
    unit: 'nats',
    term: 'margin',
    ...ours,
  },
  AQI: {
    write: { base: 'AQI' },
    name: 'alignment quality index',
    meaning: 'Separation of safe from unsafe text, against the anchor’s: the anchor has 50.',
    unit: '0 to 100',
    term: 'aqi',
    source: 'ours',
    origin: 'after arXiv 2506.13901; this normalisation is ours',
  },
  S: {
    write: { base: 'S' },
    name: 'separation',
    meaning: 'Squared distance of the two class means over the mean squared spread within the classes.',
    unit: 'none',
    term: 'separation',
    ...standard('1 over the Xie-Beni index'),
  },
  Sanchor: {
    write: { base: 'S', below: 'anchor' },
    name: 'separation of the anchor',
    meaning: 'The same of the anchor, measured on the same probes.',
    unit: 'none',
    term: 'separation',
    ...ours,
  },
  d: {
    write: { base: 'd' },
    name: 'distance of the means',
    meaning: 'Between the mean of the safe and of the unsafe vectors, freed of its sampling noise.',
    unit: 'anchor standard deviations',
    term: 'separation',
    ...standard('arXiv 2506.13901'),
  },
  W: {
    write: { base: 'W' },
    name: 'scatter within the classes',
    meaning: 'Sum of squared distances of all vectors to the mean of their own class.',
    unit: 'anchor variances',
    term: 'separation',
    ...standard('arXiv 2506.13901'),
  },
  n: {
    write: { base: 'n' },
    name: 'number of vectors',
    meaning: 'Safe and unsafe ones together.',
    unit: 'vectors',
    ...standard('count'),
  },
  theta: {
    write: { base: 'θ' },
    name: 'weights of the merge',
    meaning: 'All numbers of the model.',
    unit: 'weights',
    term: 'weights',
    ...standard('all methods'),
  },
  thetaIT: {
    write: { base: 'θ', below: 'IT' },
    name: 'weights of the anchor',
    meaning: 'The aligned instruction model that merges start from.',
    unit: 'weights',
    term: 'anchor',
    ...paper,
  },
  thetaK: {
    write: { base: 'θ', below: 'k' },
    name: 'weights of expert k',
    meaning: 'A model fine-tuned from the anchor.',
    unit: 'weights',
    term: 'expert',
    ...standard('all methods'),
  },
  x: {
    write: { base: 'x', below: 'i' },
    name: 'input i',
    meaning: 'One data point: in the toy, a request as two numbers.',
    unit: 'none',
    ...standard('logistic regression'),
  },
  p: {
    write: { base: 'p', below: 'i' },
    name: 'prediction at input i',
    meaning: 'In the toy, the probability of refusing request i: 1/(1 + exp(−θᵀx_i)).',
    unit: 'probability',
    ...standard('logistic regression'),
  },
  y: {
    write: { base: 'y' },
    name: 'label',
    meaning: 'Drawn from the model itself: that makes it the true Fisher information.',
    unit: 'token',
    term: 'fisher',
    ...standard('true Fisher'),
  },
} as const satisfies Record<string, SymbolEntry>

export type SymbolId = keyof typeof symbols

/** The entry of a symbol, with what only some have. */
export const symbolEntry = (id: SymbolId): SymbolEntry => symbols[id]
