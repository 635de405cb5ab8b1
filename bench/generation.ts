// Tokens per second of every way to an answer, in Node and in Chromium alike: our kernels, onnxruntime-web's WebGPU
// provider on the same device and the same weight buffers, and its wasm provider on one thread.

import { fusedObstacle } from '../src/core/evaluate/ort/generationGraph.ts'
import { OrtModel } from '../src/core/evaluate/ort/ortModel.ts'
import type { OrtModule } from '../src/core/evaluate/ort/ortSession.ts'
import { OrtBackend } from '../src/core/evaluate/ortBackend.ts'
import type { Gpu } from '../src/core/gpu/device.ts'
import type { RawConfig } from '../src/core/model/config.ts'
import { DeviceModel } from '../src/core/model/deviceModel.ts'
import { listWeights } from '../src/core/model/families/decoder.ts'
import { readConfig } from '../src/core/model/families/registry.ts'
import { generate } from '../src/core/model/generate.ts'
import { Random } from '../src/core/tensors/random.ts'
import { architecture } from '../zoo/recipe.ts'

/** Prompt tokens and new tokens of one sequence, and how many sequences side by side. */
interface Load {
  prompt: number
  answer: number
  batches: [one: number, many: number]
}

const MODELS: { name: string; raw: RawConfig; load: Load }[] = [
  { name: 'zoo', raw: architecture as RawConfig, load: { prompt: 24, answer: 12, batches: [1, 8] } },
  {
    name: 'mid-size',
    raw: {
      architectures: ['LlamaForCausalLM'],
      hidden_size: 256,
      intermediate_size: 704,
      num_hidden_layers: 4,
      num_attention_heads: 4,
      num_key_value_heads: 2,
      vocab_size: 2048,
      max_position_embeddings: 512,
      rms_norm_eps: 1e-5,
      eos_token_id: 1,
    },
    load: { prompt: 32, answer: 8, batches: [1, 2] },
  },
]

export interface GenerationRow {
  model: string
  path: string
  /** tokens per second: prompts read and answers written, one sequence and several */
  prefill: [one: number, many: number]
  decode: [one: number, many: number]
}

export interface GenerationFigures {
  rows: GenerationRow[]
  /** in words: sizes, and what another merge costs */ notes: string[]
}

type Answering = (prompts: number[][], maxNewTokens: number) => Promise<number[][]>

/** `nowMs`: the clock; `log`: what is being measured; `rounds`: of which the shortest counts. */
export async function measureGeneration(
  gpu: Gpu,
  ort: OrtModule,
  nowMs: () => number,
  log: (line: string) => void = () => {},
  rounds = 2,
): Promise<GenerationFigures> {
  const figures: GenerationFigures = { rows: [], notes: [] }
  for (const { name, raw, load } of MODELS) {
    const config = readConfig(raw)
    const arrays = randomWeights(raw)
    const model = DeviceModel.fromArrays(gpu, config, arrays)
    gpu.flush()
    const open = (options: Parameters<typeof OrtModel.open>[3]) =>
      OrtModel.open(ort, gpu.device, config, options)
    const paths: [path: string, make: () => Promise<OrtModel | undefined>][] = [
      ['our kernels', async () => undefined],
      ...(fusedObstacle(config) === undefined
        ? [
            ['onnxruntime WebGPU, fused attention', () => open({ attention: 'fused' })] as [
              string,
              () => Promise<OrtModel>,
            ],
          ]
        : []),
      ['onnxruntime WebGPU, explicit attention', () => open({ attention: 'explicit' })],
      ['onnxruntime wasm, one thread', () => OrtModel.openHost(ort, config, (weight) => arrays.get(weight)!)],
    ]
    let expected: string | undefined
    for (const [path, make] of paths) {
      log(`${name}, ${path} …`)
      const theirs = await make()
      if (theirs?.provider === 'webgpu') theirs.bind((weight) => model.buffer(weight))
      const answer: Answering = (prompts, maxNewTokens) =>
        theirs
          ? theirs.generate(prompts, { maxNewTokens, endTokens: [] })
          : generate(model, prompts, { maxNewTokens, endTokens: [] })
      const tokens = JSON.stringify(await answer(promptsOf(config.vocabSize, 2, load.prompt), 4))
      expected ??= tokens
      const isEqual = tokens === expected
      // Known to be wrong on adapters with small subgroups; its speed is worth a row, its numbers are not.
      if (!isEqual && theirs?.attention !== 'fused')
        throw new Error(`${name}, ${path}: other tokens than ours`)
      const one = await rates(answer, config.vocabSize, load, load.batches[0], nowMs, rounds)
      const many = await rates(answer, config.vocabSize, load, load.batches[1], nowMs, rounds)
      figures.rows.push({
        model: name,
        path: isEqual ? path : `${path} (wrong here)`,
        prefill: [one.prefill, many.prefill],
        decode: [one.decode, many.decode],
      })
      await theirs?.dispose()
    }
    figures.notes.push(
      `${name}: ${(model.parameterCount / 1e6).toFixed(1)} M parameters, prompts of ${load.prompt} tokens,` +
        ` answers of ${load.answer}, ${load.batches[0]} and ${load.batches[1]} side by side.`,
      await swapNote(gpu, ort, model, arrays, nowMs),
    )
    model.dispose()
  }
  return figures
}

/** What it costs to hand the open session another model, in its own buffers and widened. */
async function swapNote(
  gpu: Gpu,
  ort: OrtModule,
  model: DeviceModel,
  arrays: ReadonlyMap<string, Float32Array>,
  nowMs: () => number,
): Promise<string> {
  const stored = DeviceModel.fromArrays(gpu, model.config, arrays, 'bf16')
  const backend = new OrtBackend(gpu, async () => ort)
  const swap = async (to: DeviceModel) => {
    await backend.of(to)
    await gpu.idle()
    const begun = nowMs()
    await backend.of(to)
    await gpu.idle()
    return nowMs() - begun
  }
  const bound = await swap(model)
  const widened = await swap(stored)
  await backend.dispose()
  stored.dispose()
  const mebibytes = (model.parameterCount * 4) / 2 ** 20
  return (
    `Another merge in the open session: ${bound.toFixed(1)} ms where weights are float32 (nothing is copied),` +
    ` ${widened.toFixed(1)} ms and ${mebibytes.toFixed(1)} MiB of float32 buffers where they are bfloat16.`
  )
}

async function rates(
  answer: Answering,
  vocabulary: number,
  load: Load,
  batch: number,
  nowMs: () => number,
  rounds: number,
): Promise<{ prefill: number; decode: number }> {
  const prompts = promptsOf(vocabulary, batch, load.prompt)
  const time = async (maxNewTokens: number) => {
    await answer(prompts, maxNewTokens)
    let best = Number.POSITIVE_INFINITY
    for (let round = 0; round < rounds; round++) {
      const begun = nowMs()
      await answer(prompts, maxNewTokens)
      best = Math.min(best, nowMs() - begun)
    }
    return best
  }
  const first = await time(1)
  const whole = await time(1 + load.answer)
  return {
    prefill: (1000 * batch * load.prompt) / first,
    decode: (1000 * batch * load.answer) / Math.max(whole - first, 1e-3),
  }
}

function promptsOf(vocabulary: number, count: number, length: number): number[][] {
  const random = new Random(3, count)
  return Array.from({ length: count }, () => Array.from({ length }, () => random.integer(vocabulary)))
}

function randomWeights(raw: RawConfig): Map<string, Float32Array> {
  return new Map(
    listWeights(readConfig(raw)).map(({ name, shape, role }, stream) => {
      const count = shape.reduce((a, b) => a * b, 1)
      const scale = role === 'gain' ? 0.1 : role === 'embedding' ? 1 : 1 / Math.sqrt(shape[1] ?? 1)
      const values = new Random(11, stream).normals(count, scale)
      return [name, role === 'gain' ? values.map((v) => 1 + v) : values]
    }),
  )
}
