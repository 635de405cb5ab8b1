// Signatures of the methods and shapes of models for the tests of this folder; not part of the product.

import type { PlanInput } from './inputTensors.ts'
import type { MethodParameter, MethodSignature } from './recipe.ts'

const number = (id: string, more: Partial<MethodParameter> = {}): MethodParameter => ({
  id,
  scope: 'global',
  kind: 'number',
  ...more,
})
const flag = (id: string, value: boolean): MethodParameter => ({
  id,
  scope: 'global',
  kind: 'switch',
  default: value,
})
const perModel = (id: string, more: Partial<MethodParameter> = {}) => number(id, { scope: 'model', ...more })
const weight = perModel('weight', { required: true, min: -10, max: 10, default: 1 })
const density = perModel('density', { min: 0, max: 1, default: 1 })
const lambda = number('lambda', { default: 1, min: -10, max: 10 })
const sparse = [weight, density, flag('normalize', false), flag('rescale', false), lambda]

const method = (
  id: string,
  base: MethodSignature['base'],
  min: number,
  max: number,
  parameters: MethodParameter[],
  roles?: MethodSignature['roles'],
): MethodSignature => ({ id, base, experts: { min, max }, parameters, ...(roles && { roles }) })

export const TEST_METHODS: readonly MethodSignature[] = [
  method('linear', 'none', 1, 8, [weight, flag('normalize', true)]),
  method('slerp', 'required', 1, 1, [number('t', { required: true, min: 0, max: 1 })]),
  method('nuslerp', 'optional', 2, 2, [
    weight,
    flag('nuslerp_flatten', true),
    flag('nuslerp_row_wise', false),
  ]),
  method('multislerp', 'optional', 2, 8, [
    weight,
    flag('normalize_weights', true),
    number('eps', { default: 1e-8, min: 0, max: 1 }),
  ]),
  method('karcher', 'optional', 2, 8, [
    number('max_iter', { default: 10, min: 1, max: 1000, isInteger: true }),
    number('tol', { default: 1e-5, min: 0 }),
  ]),
  method('task_arithmetic', 'required', 1, 8, [weight, flag('normalize', false), lambda]),
  ...['ties', 'dare_linear', 'dare_ties'].map((id) =>
    method(id, 'required', 1, 8, [
      ...sparse,
      {
        id: 'variant',
        scope: 'global',
        kind: 'choice',
        default: 'mergekit',
        options: ['mergekit', 'paper'],
      },
    ]),
  ),
  ...['della', 'della_linear'].map((id) =>
    method(id, 'required', 1, 8, [...sparse, perModel('epsilon', { default: 0.15, min: 0, max: 1 })]),
  ),
  ...['breadcrumbs', 'breadcrumbs_ties'].map((id) =>
    method(id, 'required', 1, 8, [...sparse, perModel('gamma', { default: 0.01, min: 0, max: 1 })]),
  ),
  method('model_stock', 'required', 2, 8, [flag('filter_wise', false)]),
  method('sce', 'required', 1, 8, [number('select_topk', { default: 1, min: 0, max: 1 })]),
  method('nearswap', 'required', 1, 1, [number('t', { required: true, min: 0 })]),
  method('arcee_fusion', 'required', 1, 1, []),
  method('ram', 'required', 1, 8, [number('epsilon', { default: 1e-5, min: 0 })]),
  method('ramplus_tl', 'required', 1, 8, [
    number('epsilon', { default: 1e-5, min: 0 }),
    number('r', { default: 0.1, min: 0 }),
    number('alpha', { default: 0.2, min: 0 }),
  ]),
  method('passthrough', 'none', 1, 1, [perModel('scale')]),
  method('alignmerge', 'required', 1, 8, [weight]),
  method(
    'mergealign',
    'required',
    1,
    8,
    [weight, number('beta', { default: 0.5 })],
    [{ id: 'aligned', required: true }],
  ),
]

interface Sizes {
  layers: number
  hidden: number
  kvHeads: number
  vocabulary: number
  isTied: boolean
}

/** A model of the zoo's architecture (Phi-3) by its headers: 4 layers of 4 heads, unless changed. */
export function zooInput(name: string, change: Partial<Sizes> = {}): PlanInput {
  const sizes = { layers: 4, hidden: 64, kvHeads: 4, vocabulary: 912, isTied: false, ...change }
  const { layers, hidden: C, kvHeads, vocabulary: V, isTied } = sizes
  const D = C / 4
  const layer = (l: number): [string, number[]][] => [
    [`model.layers.${l}.input_layernorm.weight`, [C]],
    [`model.layers.${l}.self_attn.qkv_proj.weight`, [(4 + 2 * kvHeads) * D, C]],
    [`model.layers.${l}.self_attn.o_proj.weight`, [C, C]],
    [`model.layers.${l}.post_attention_layernorm.weight`, [C]],
    [`model.layers.${l}.mlp.gate_up_proj.weight`, [320, C]],
    [`model.layers.${l}.mlp.down_proj.weight`, [C, 160]],
  ]
  const tensors: [string, number[]][] = [
    ['model.embed_tokens.weight', [V, C]],
    ...Array.from({ length: layers }, (_, l) => layer(l)).flat(),
    ['model.norm.weight', [C]],
  ]
  if (!isTied) tensors.push(['lm_head.weight', [V, C]])
  return { name, layerCount: layers, tensors: new Map(tensors), dtype: 'bfloat16' }
}

export const ZOO = [
  ...['anchor', 'task-sort', 'task-reverse', 'safety', 'uncensored', 'anchor+task-sort-lora'],
].map((name) => zooInput(name))
