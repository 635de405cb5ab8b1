// What a merge method says of itself, as data: who defined it, what it needs, its parameters. The page builds its
// controls from this, recipes are checked against it, and it imports nothing, so that the main thread may read it.

/** Where a definition or a default comes from: the cited paper, common practice (mergekit), or ours. */
export type Provenance = 'paper' | 'standard' | 'ours'

export type ParameterScalar = number | boolean | string

interface ParameterBase {
  /** mergekit's name where mergekit has the parameter */
  id: string
  label: string
  /** symbol used in formulas */
  symbol?: string
  /** one value for the merge, or one for every merged model (a global value then means all models) */
  scope: 'global' | 'model'
  /** a recipe must give it; the page starts from the default */
  isRequired?: true
  source: Provenance
  /** parameter without which, at its default, this one changes nothing */
  needs?: string
  /** one line under the control */
  brief: string
}

export interface NumberDeclaration extends ParameterBase {
  kind: 'number'
  min: number
  max: number
  default: number
  step: number
  isInteger?: true
  /** for sliders that span decades */
  isLogarithmic?: true
}

export interface SwitchDeclaration extends ParameterBase {
  kind: 'switch'
  default: boolean
}

export interface ChoiceDeclaration extends ParameterBase {
  kind: 'choice'
  default: string
  options: readonly { value: string; label: string; brief: string }[]
}

export type ParameterDeclaration = NumberDeclaration | SwitchDeclaration | ChoiceDeclaration

/**
 * What a method can ask for beyond base and experts, by tensor, float32 on the device:
 * - `fisher`: Fisher diagonal of each expert, per token, shape of the tensor
 * - `anchorFisher`: the same of the base
 * - `gram`: mean over tokens of x xᵀ (in, in) of each linear layer's inputs, of each expert
 * - `importance`: |w| Σ |∂L/∂w| of each expert, and of the base (LED-Merging)
 * - `baseImportance`: the same of the base on the data of each expert; where there is none, `importance` of the base
 * - `shield`: alignment rows A, metric G and coefficients b of the closed form (TensorTask.shield)
 * - `aligned`, `unaligned`, `safe`: one more model's weights; `safe` is optional wherever it is used
 */
export type MaterialKind =
  | 'fisher'
  | 'anchorFisher'
  | 'gram'
  | 'importance'
  | 'baseImportance'
  | 'shield'
  | 'aligned'
  | 'unaligned'
  | 'safe'

export type MethodGroup =
  | 'averages'
  | 'sphere'
  | 'task vectors'
  | 'spectral'
  | 'data'
  | 'safety'
  | 'sequential'
  | 'alignment'

export interface MethodDeclaration {
  id: string
  label: string
  group: MethodGroup
  brief: string
  /** paper and equation, or the code whose behaviour is matched */
  source: { text: string; url?: string }
  provenance: Provenance
  base: 'none' | 'optional' | 'required'
  /** an optional base is left out on the page, because it would change what the method means */
  isBaseLeftOut?: true
  experts: { min: number; max: number }
  material: readonly MaterialKind[]
  /** draws random numbers from the recipe's seed */
  isRandom?: true
  parameters: readonly ParameterDeclaration[]
}

/** λ_k, the weight of a model; shared by every method that weighs models. */
export const weightParameter: NumberDeclaration = {
  kind: 'number',
  id: 'weight',
  label: 'Weight',
  symbol: 'λₖ',
  scope: 'model',
  isRequired: true,
  min: -10,
  max: 10,
  default: 1,
  step: 0.01,
  source: 'standard',
  brief: 'Share of this model.',
}

/** Which of two definitions is followed where mergekit and the paper differ. */
export function variantParameter(paper: string, mergekit: string): ChoiceDeclaration {
  return {
    kind: 'choice',
    id: 'variant',
    label: 'Definition',
    scope: 'global',
    default: 'mergekit',
    source: 'standard',
    brief: 'Where the paper and mergekit differ.',
    options: [
      { value: 'mergekit', label: 'mergekit', brief: mergekit },
      { value: 'paper', label: 'paper', brief: paper },
    ],
  }
}

/** A switch that normalises weights to sum 1. */
export function normalizeParameter(isOn: boolean): SwitchDeclaration {
  return {
    kind: 'switch',
    id: 'normalize',
    label: 'Normalise',
    scope: 'global',
    default: isOn,
    source: 'standard',
    brief: 'Divide by the sum of the weights.',
  }
}

/** λ, the factor on the merged task vector. */
export const lambdaParameter: NumberDeclaration = {
  kind: 'number',
  id: 'lambda',
  label: 'Scale',
  symbol: 'λ',
  scope: 'global',
  min: -10,
  max: 10,
  default: 1,
  step: 0.05,
  source: 'standard',
  brief: 'Factor on the merged task vector.',
}

/** What methods ask for that takes gradients or a pass over data, in words. */
const NEEDS_DEVICE: Partial<Record<MaterialKind, string>> = {
  fisher: 'the Fisher diagonal of every expert',
  anchorFisher: 'the Fisher diagonal of the anchor',
  gram: 'inputs of every linear layer',
  importance: 'gradients of every expert',
  baseImportance: 'gradients of the anchor',
}

/** What a method needs that cannot be had without a device, in words; undefined where it has all it needs. */
export function missingWithoutDevice({ material }: Pick<MethodDeclaration, 'material'>): string | undefined {
  const kinds = material.filter((kind) => NEEDS_DEVICE[kind] !== undefined)
  return kinds.length > 0 ? kinds.map((kind) => NEEDS_DEVICE[kind]).join(' and ') : undefined
}
