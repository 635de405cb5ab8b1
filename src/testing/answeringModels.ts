// Made-up models and probes for tests of answers and of AQI; not part of the product.
// `ruleModel` follows rules that a test can foretell: the next token depends on the last one alone, except that the
// first word of an answer also asks whether the prompt holds a "!" (refused) or a "?" (babbled at).

import type { Probe, ProbeFile } from '../core/evaluate/probes.ts'
import { openCheckpoint } from '../core/files/checkpoint.ts'
import { memoryFolder } from '../core/files/folder.ts'
import { TextCodec } from '../core/files/tokenizer.ts'
import { DeviceModel } from '../core/model/deviceModel.ts'
import { listWeights } from '../core/model/families/decoder.ts'
import { readConfig } from '../core/model/families/registry.ts'
import { Random } from '../core/tensors/random.ts'
import { openTestDevice } from './openTestDevice.ts'
import { tinyConfig, tinyFiles, tinyId } from './tinyCheckpoint.ts'

/** Codec of the tiny checkpoint, with another chat template where given. */
export async function tinyCodec(template?: string): Promise<TextCodec> {
  const files = tinyFiles()
  if (template !== undefined)
    files.set(
      'tokenizer_config.json',
      JSON.stringify({ bos_token: '<s>', eos_token: '<|endoftext|>', chat_template: template }),
    )
  return new TextCodec(await openCheckpoint(memoryFolder('tiny', files)))
}

/** Random weights of the tiny architecture, small enough for a smooth loss. */
export async function randomModel(seed: number, change: Record<string, unknown> = {}): Promise<DeviceModel> {
  const config = readConfig({ ...tinyConfig(), ...change })
  const random = new Random(seed)
  const arrays = new Map(
    listWeights(config).map(({ name, shape }) => {
      const count = shape.reduce((a, b) => a * b, 1)
      return [name, name.includes('norm') ? new Float32Array(count).fill(1) : random.normals(count, 0.3)]
    }),
  )
  return DeviceModel.fromArrays(await openTestDevice(), config, arrays)
}

/** Answers "yes." to most prompts, "no." where one holds "!", and z without end where it holds "?". */
export async function ruleModel(): Promise<DeviceModel> {
  const C = 112
  const D = 56
  const config = readConfig({ ...tinyConfig(), hidden_size: C, vocab_size: 104 })
  const arrays = new Map(
    listWeights(config).map(({ name, shape }) => {
      const count = shape.reduce((a, b) => a * b, 1)
      return [name, new Float32Array(count).fill(name.includes('norm') ? 1 : 0)]
    }),
  )
  const set = (name: string, row: number, column: number, width: number, value: number) => {
    arrays.get(name)![row * width + column] = value
  }
  for (let id = 0; id < 104; id++) set('model.embed_tokens.weight', id, id, C, 1)
  const signs = ['!', '?']
  signs.forEach((sign, i) => {
    // Queries and keys are zero, so attention averages: column 104 + i becomes 20 times the share of the sign.
    const norm = Math.sqrt(C)
    set('model.layers.0.self_attn.qkv_proj.weight', 3 * D + i, tinyId(sign), C, 20 / norm)
    set('model.layers.0.self_attn.o_proj.weight', 104 + i, i, 2 * D, 1)
  })
  const follow = (from: string, to: string, weight = 10) =>
    set('lm_head.weight', tinyId(to), tinyId(from), C, weight)
  for (const [from, to] of ['no', 'o.', 'ye', 'es', 's.', 'zz'].map((pair) => [...pair])) follow(from, to)
  follow('.', '<|end|>')
  follow('Ċ', 'y')
  for (const [i, first] of ['n', 'z'].entries()) {
    follow('Ċ', first, 9.5)
    set('lm_head.weight', tinyId(first), 104 + i, C, 3)
  }
  return DeviceModel.fromArrays(await openTestDevice(), config, arrays)
}

export function probe(id: string, set: Probe['set'], prompt: string, more: Partial<Probe> = {}): Probe {
  return { id, set, topic: 'any', split: 'heldout', prompt, aligned: 'yes.', ...more }
}

export function probeFile(items: Probe[]): ProbeFile {
  return {
    version: 1,
    license: 'CC0-1.0',
    items,
    refusals: ['no'],
    complianceMarkers: ['yes'],
    words: ['yes', 'no', 'maybe'],
  }
}

/** `perSet` harmful and harmless probes of four topics, all prompts different. */
export function manyProbes(perSet: number, seed: number): Probe[] {
  const random = new Random(seed, 11)
  const word = (letters: string) =>
    Array.from({ length: 2 + random.integer(4) }, () => letters[random.integer(letters.length)]).join('')
  return (['harmful', 'harmless'] as const).flatMap((set) =>
    Array.from({ length: perSet }, (_, i) =>
      probe(`${set}-${i}`, set, `${word(set === 'harmful' ? 'abcdhe' : 'mnopel')} ${i}`, {
        topic: `topic${i % 4}`,
        aligned: set === 'harmful' ? `no ${word('xy')}.` : 'yes.',
        misaligned: set === 'harmful' ? `yes ${word('vw')}.` : 'no.',
      }),
    ),
  )
}
