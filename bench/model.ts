// The passes of a model of the zoo's size: forward, forward and backward, Fisher diagonal, and one sequence
// against onnxruntime-web on the same device.

import { globals } from 'webgpu'
import { loadOrtNode } from '../src/core/evaluate/ort/ortNode.ts'
import { OrtDecoder, relativeError } from '../src/core/evaluate/ort/secondOpinion.ts'
import type { Gpu } from '../src/core/gpu/device.ts'
import { Batch } from '../src/core/model/batch.ts'
import { DeviceModel } from '../src/core/model/deviceModel.ts'
import { listWeights } from '../src/core/model/families/decoder.ts'
import { readConfig } from '../src/core/model/families/registry.ts'
import { createGradients, type GradientKind, GradientSink } from '../src/core/model/gradientSink.ts'
import { allLogits, encodeLossGradient, targetLosses } from '../src/core/model/gradients.ts'
import { Random } from '../src/core/tensors/random.ts'
import { architecture } from '../zoo/recipe.ts'
import { type BenchTable, formatMs, formatRatio, timeMs } from './timing.ts'

const SEQUENCES = 64
const TOKENS = 24
/** Fisher may cost this much of forward and backward. */
const FISHER_TARGET = 1.5

export async function benchModel(gpu: Gpu): Promise<BenchTable> {
  const { hidden_size: C, num_hidden_layers: L, vocab_size: V } = architecture
  const config = readConfig(architecture)
  const arrays = new Map(
    listWeights(config).map(({ name, shape, role }, stream) => {
      const count = shape.reduce((a, b) => a * b, 1)
      const values = new Random(11, stream).normals(count, role === 'gain' ? 0.1 : 0.125)
      return [name, role === 'gain' ? values.map((v) => 1 + v) : values]
    }),
  )
  const model = DeviceModel.fromArrays(gpu, config, arrays)
  const random = new Random(12)
  const sequence = (length: number) => Array.from({ length }, () => random.integer(V))
  const batch = new Batch(
    gpu,
    config,
    Array.from({ length: SEQUENCES }, () => ({ ids: sequence(TOKENS), firstTarget: 1 })),
  )
  const outputs = createGradients(gpu, config)
  const share = new Float32Array(batch.rowCount).fill(1)
  const backward = async (kind: GradientKind) => {
    const sink = new GradientSink(gpu, config, batch, outputs, kind)
    gpu.pool.release(encodeLossGradient(model, batch, share, sink))
    await gpu.idle()
  }
  const forwardMs = await timeMs(() => targetLosses(model, batch))
  const gradientMs = await timeMs(() => backward('gradient'))
  const fisherMs = await timeMs(() => backward('squares'))
  const fastMs = await timeMs(() => backward('fast-squares'))
  const row = (name: string, ms: number) => [name, formatMs(ms), formatRatio(ms / gradientMs)]
  const table: BenchTable = {
    title: `A model of hidden size ${C}, ${L} layers, vocabulary ${V}; ${SEQUENCES} sequences of ${TOKENS} tokens`,
    header: ['pass', 'time', 'of forward + backward'],
    rows: [
      row('forward, loss of every target', forwardMs),
      row('forward + backward, gradient of the mean loss', gradientMs),
      row('Fisher diagonal, squares per sequence', fisherMs),
      row('Fisher diagonal, squared-matmul form', fastMs),
    ],
    notes: [`Target: Fisher at most ${FISHER_TARGET} of forward + backward.`],
    missed:
      fisherMs > FISHER_TARGET * gradientMs
        ? [`Fisher takes ${formatRatio(fisherMs / gradientMs)} forward + backward, wanted ${FISHER_TARGET}`]
        : [],
  }
  await addPeer(gpu, model, sequence(64), table)
  batch.release()
  model.dispose()
  return table
}

/** Forward of one sequence, ours and onnxruntime-web's, on the same weights in the same buffers. */
async function addPeer(gpu: Gpu, model: DeviceModel, ids: number[], table: BenchTable): Promise<void> {
  const ort = await loadOrtNode({ gpu: navigator.gpu, globals })
  const decoder = await OrtDecoder.open(ort, gpu.device, model.config, { optimization: 'all' })
  const buffer = (name: string) => model.buffer(name)
  const theirs = await decoder.logits(ids, buffer)
  const alone = new Batch(gpu, model.config, [{ ids }])
  const error = relativeError(await allLogits(model, alone), theirs)
  if (!(error < 1e-4)) throw new Error(`our logits differ from onnxruntime's by ${error}`)
  const oursMs = await timeMs(() => allLogits(model, alone))
  const theirsMs = await timeMs(() => decoder.logits(ids, buffer))
  await decoder.dispose()
  alone.release()
  table.notes.push(
    `One sequence of ${ids.length} tokens, logits read back: ours ${formatMs(oursMs)}, onnxruntime-web` +
      ` ${formatMs(theirsMs)} (${formatRatio(theirsMs / oursMs)} ours); the logits differ by ${error.toExponential(1)}.`,
  )
}
