// The ONNX reader: bytes as model.onnx beside a config, opened, and the first rows of every weight read.

import { openCheckpoint } from '../../core/files/checkpoint.ts'
import { memoryFolder } from '../../core/files/folder.ts'
import { openOnnx } from '../../core/files/formats/onnx/openOnnx.ts'
import { countOf } from '../../core/files/storedWeight.ts'
import { type OnnxFolderForm, onnxFolder } from '../onnx/folder.ts'
import { TestGraph } from '../onnx/graph.ts'
import { concat, tinyConfig, tinyFiles } from '../tinyCheckpoint.ts'
import type { FuzzTarget } from './target.ts'

const CONFIG = {
  ...tinyConfig(),
  hidden_size: 32,
  intermediate_size: 32,
  num_hidden_layers: 1,
  vocab_size: 8,
  eos_token_id: 1,
  bos_token_id: 0,
}
const DATA = 'model.onnx.data'
/** Large enough for the external tensors of the seeds. */
const DATA_BYTES = 2 ** 16

const FORMS: readonly OnnxFolderForm[] = [
  { style: 'genai', storage: 4, blockSize: 16, zeros: 'packed' },
  { style: 'genai', storage: 8, blockSize: 16, external: DATA, hasBlockEmbedding: true },
  { style: 'optimum', storage: 'f32', external: DATA },
]

async function seeds(): Promise<Uint8Array[]> {
  const plain = await openCheckpoint(memoryFolder('plain', tinyFiles(CONFIG, 'f32')))
  const models = await Promise.all(
    FORMS.map(async (form) => (await onnxFolder(plain, form)).get('model.onnx') as Uint8Array),
  )
  // A graph in a node and values in a Constant node, joined to a whole model as protobuf joins messages.
  const nested = new TestGraph()
  nested.constant('beside', [32], new Array(32).fill(1))
  nested.branch('If', (graph) => graph.node('Mul', ['x', 'beside'], ['y']))
  return [...models, concat([models[1], nested.finish().model])]
}

const config = JSON.stringify(CONFIG)
const data = new Uint8Array(DATA_BYTES).fill(0x11)

export const target: FuzzTarget = {
  name: 'onnx',
  seeds,
  async run(bytes) {
    const folder = memoryFolder(
      'fuzz',
      new Map<string, Uint8Array | string>([
        ['config.json', config],
        ['model.onnx', bytes],
        [DATA, data],
      ]),
    )
    // Without the family's own checks first, which refuse most of what a mutation leaves.
    const onnx = await openOnnx(folder, CONFIG)
    for (const { pieces } of onnx.weights.values())
      if (pieces.length === 0) throw new Error('a weight without pieces')
    const { stored } = await openCheckpoint(folder)
    for (const weight of stored.values()) await weight.read(0, Math.min(weight.granule, countOf(weight)))
  },
}
