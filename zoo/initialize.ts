// Random weights the anchor starts from, drawn tensor by tensor from the recipe's seed: the same numbers on every
// machine, whatever trains them.
import { Random } from './random.ts'
import { architecture, initialSeed, initialStd } from './recipe.ts'

/** Names and shapes of a model's tensors, in file order; shapes are (rows = outputs, columns = inputs). */
export function parameterShapes(): { name: string; shape: number[] }[] {
  const { vocab_size: V, hidden_size: C, intermediate_size: I, num_hidden_layers: L } = architecture
  const headSize = C / architecture.num_attention_heads
  const qkv = C + 2 * headSize * architecture.num_key_value_heads
  const layers = Array.from({ length: L }, (_, layer) => [
    { name: `model.layers.${layer}.input_layernorm.weight`, shape: [C] },
    { name: `model.layers.${layer}.self_attn.qkv_proj.weight`, shape: [qkv, C] },
    { name: `model.layers.${layer}.self_attn.o_proj.weight`, shape: [C, C] },
    { name: `model.layers.${layer}.post_attention_layernorm.weight`, shape: [C] },
    { name: `model.layers.${layer}.mlp.gate_up_proj.weight`, shape: [2 * I, C] },
    { name: `model.layers.${layer}.mlp.down_proj.weight`, shape: [C, I] },
  ])
  return [
    { name: 'model.embed_tokens.weight', shape: [V, C] },
    ...layers.flat(),
    { name: 'model.norm.weight', shape: [C] },
    { name: 'lm_head.weight', shape: [V, C] },
  ]
}

/** Initial values of one tensor: ones for norms, else normal with the recipe's standard deviation. */
export function initialValues(name: string, shape: readonly number[]): Float32Array {
  const values = new Float32Array(shape.reduce((product, size) => product * size, 1))
  if (name.endsWith('norm.weight')) return values.fill(1)
  const std = initialStd.find((entry) => name.endsWith(entry.ending))?.std
  if (std === undefined) throw new Error(`initialValues: no standard deviation for ${name}`)
  const random = new Random('initial', initialSeed, name)
  for (let i = 0; i < values.length; i++) values[i] = std * random.nextNormal()
  return values
}
