// Checkpoints of any size made up on the spot: Llama-shaped, sharded BF16, seeded, an anchor and experts near it. They
// say nothing, but every byte of a real one of their shape is there to be read and merged.

import { type OutputFolder, writeText } from '../core/files/output/outputFolder.ts'
import { INDEX_FILE, layShards, shardIndex } from '../core/files/output/shardLayout.ts'
import { listWeights } from '../core/model/families/decoder.ts'
import { readConfig } from '../core/model/families/registry.ts'
import { encodeWeights } from '../core/tensors/dtype.ts'
import { Random } from '../core/tensors/random.ts'

/** config.json of Llama 3.2 1B's shapes: 1.24 B parameters, 2.47 GB. */
export const LLAMA_1B = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  hidden_size: 2048,
  intermediate_size: 8192,
  num_hidden_layers: 16,
  num_attention_heads: 32,
  num_key_value_heads: 8,
  head_dim: 64,
  vocab_size: 128256,
  max_position_embeddings: 131072,
  rms_norm_eps: 1e-5,
  rope_theta: 500000,
  hidden_act: 'silu',
  tie_word_embeddings: true,
  attention_bias: false,
  mlp_bias: false,
  bos_token_id: 1,
  eos_token_id: 2,
  torch_dtype: 'bfloat16',
}

/** Phi-3.5-mini's shapes with `layers` of its 32 layers; all 32 have 3.82 B parameters. */
export const phi35 = (layers: number) => ({
  architectures: ['Phi3ForCausalLM'],
  model_type: 'phi3',
  hidden_size: 3072,
  intermediate_size: 8192,
  num_hidden_layers: layers,
  num_attention_heads: 32,
  num_key_value_heads: 32,
  vocab_size: 32064,
  max_position_embeddings: 4096,
  original_max_position_embeddings: 4096,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  hidden_act: 'silu',
  tie_word_embeddings: false,
  attention_bias: false,
  bos_token_id: 1,
  eos_token_id: 2,
  torch_dtype: 'bfloat16',
})

export interface SyntheticModel {
  /** config.json */
  config: Record<string, unknown>
  /** of the anchor; experts of one anchor share it */
  seed: number
  /** 0: the anchor; others are the anchor with a tenth of noise of their own */
  expert: number
  shardBytes: number
}

const TABLE = 2 ** 18
const PIECE = 2 ** 20
const SPREAD = 0.02

/** Writes the model; 1 B parameters take some ten seconds. */
export async function writeSyntheticModel(folder: OutputFolder, model: SyntheticModel): Promise<void> {
  const weights = listWeights(readConfig(model.config, 'config.json'))
  const shards = layShards(weights, 'bf16', model.shardBytes)
  const anchor = new Random(model.seed).normals(TABLE, SPREAD)
  const noise = new Random(model.seed, model.expert).normals(TABLE, model.expert === 0 ? 0 : SPREAD / 10)
  const roles = new Map(weights.map(({ name, role }) => [name, role]))
  await writeText(folder, 'config.json', `${JSON.stringify(model.config, null, 2)}\n`)
  let ordinal = 0
  for (const shard of shards) {
    const file = await folder.open(shard.file)
    await file.write(shard.header, 0)
    for (const { name, shape, offset } of shard.tensors) {
      const count = shape.reduce((a, b) => a * b, 1)
      // Gains stand around one, as trained ones do.
      const center = roles.get(name) === 'gain' ? 1 : 0
      const shift = Math.imul(++ordinal, 40503) >>> 0
      for (let start = 0; start < count; start += PIECE) {
        const values = new Float32Array(Math.min(PIECE, count - start))
        for (let i = 0; i < values.length; i++) {
          // Two strides without a common divisor: the sum repeats after their product, not after a table.
          const at = start + i + shift
          values[i] =
            center + anchor[at % TABLE] + anchor[(at * 7 + 11) % (TABLE - 5)] + noise[at % (TABLE - 3)]
        }
        await file.write(encodeWeights(values, 'bf16'), offset + start * 2)
      }
    }
    await file.close()
  }
  const index = shardIndex(shards)
  if (index !== undefined) await writeText(folder, INDEX_FILE, index)
}
