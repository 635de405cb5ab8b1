// What has to be known of a user's ONNX decoder to run it: its inputs, its key-value cache, and where the residual
// stream can be read. Streams become outputs by a ModelProto appended to the file's bytes, because protobuf joins the
// repeated fields of messages that come twice; the graph itself stays as it is.

import { EngineError } from '../../errors.ts'
import type { OnnxCheckpoint } from '../../files/formats/onnx/openOnnx.ts'
import type { OnnxNode, OnnxValue } from '../../files/formats/onnx/proto.ts'
import { WireWriter } from '../../files/formats/onnx/wireWriter.ts'

/** One tensor of the cache: what a run takes and what it gives. */
export interface CacheSlot {
  past: string
  present: string
  type: 'float32' | 'float16'
  /** G */ heads: number
  /** D */ size: number
}

export interface CheckpointGraph {
  /** element type of token ids, masks and positions */
  integer: 'int64' | 'int32'
  hasMask: boolean
  hasPositions: boolean
  /** name of an input that says whether the cache is used, of merged decoders */
  cacheBranch: string | undefined
  /** name of an input that says how many rows of logits are wanted, 0 for all */
  logitRows: string | undefined
  cache: CacheSlot[]
  logits: string
  /** layer 1 … L → output of the residual stream after it; empty where the graph hides it */
  streams: ReadonlyMap<number, string>
  /** to be appended to the model file's bytes */
  appended: Uint8Array<ArrayBuffer>
}

const PAST = /^past(?:_key_values)?[._](\d+)[._](key|value)$/

/** Reads the graph's ends; `file-unsupported` names an input that is none of a decoder's. */
export function checkpointGraph(checkpoint: OnnxCheckpoint): CheckpointGraph {
  const { model, config, path } = checkpoint
  const refuse = (message: string): never => {
    throw new EngineError('file-unsupported', message, { file: path })
  }
  const outputs = new Set(model.outputs.map(({ name }) => name))
  const graph: Omit<CheckpointGraph, 'streams' | 'appended'> = {
    integer: 'int64',
    hasMask: false,
    hasPositions: false,
    cacheBranch: undefined,
    logitRows: undefined,
    cache: [],
    logits: 'logits',
  }
  let hasIds = false
  for (const input of model.inputs) {
    // Older files list their weights among the inputs.
    if (model.tensors.has(input.name)) continue
    const past = PAST.exec(input.name)
    if (past) graph.cache.push(cacheSlot(input, outputs, config, refuse))
    else if (input.name === 'input_ids') {
      hasIds = true
      if (input.type === 'int32') graph.integer = 'int32'
    } else if (input.name === 'attention_mask') graph.hasMask = true
    else if (input.name === 'position_ids') graph.hasPositions = true
    else if (input.name === 'use_cache_branch') graph.cacheBranch = input.name
    else if (/^(num_)?logits_to_keep$/.test(input.name)) graph.logitRows = input.name
    else refuse(`the graph wants ${input.name}: expected ids, mask, positions and a key-value cache`)
  }
  if (!hasIds) refuse('the graph has no input_ids')
  if (!outputs.has('logits')) refuse(`no output logits among ${[...outputs].slice(0, 4).join(', ')}`)
  return { ...graph, ...exposeStreams(checkpoint) }
}

function cacheSlot(
  { name, type, dims }: OnnxValue,
  outputs: ReadonlySet<string>,
  config: { kvHeadCount: number; headSize: number },
  refuse: (message: string) => never,
): CacheSlot {
  const present = name.replace(/^past(_key_values)?/, 'present')
  if (!outputs.has(present)) refuse(`input ${name} has no output ${present}`)
  if (type !== 'float32' && type !== 'float16') return refuse(`${name} is ${type}: expected floats`)
  const size = (value: number | string | undefined, fallback: number) =>
    typeof value === 'number' ? value : fallback
  return {
    past: name,
    present,
    type,
    heads: size(dims?.[1], config.kvHeadCount),
    size: size(dims?.[3], config.headSize),
  }
}

/** Streams after layers 1 … L: what the next layer's first norm, or the final norm, takes in. */
function exposeStreams({ config, found }: OnnxCheckpoint): Pick<CheckpointGraph, 'streams' | 'appended'> {
  const streams = new Map<number, string>()
  const graph = new WireWriter()
  for (let layer = 1; layer <= config.layerCount; layer++) {
    const module =
      layer === config.layerCount ? 'model.norm' : `model.layers.${layer}.${config.norms.attention}`
    const node = found.norms.get(module)
    const stream = node && !node.isNested ? streamOf(node, found.producers) : undefined
    // One hidden layer leaves nothing to compare others with.
    if (!stream) return { streams: new Map(), appended: new Uint8Array(0) }
    let name = stream.name
    if (stream.addend !== undefined) {
      name = `alignmerge.stream.${layer}`
      const sum = new WireWriter().text(1, stream.name).text(1, stream.addend).text(2, name)
      graph.message(1, sum.text(3, name).text(4, 'Add'))
    }
    streams.set(layer, name)
    graph.message(12, new WireWriter().text(1, name))
  }
  return { streams, appended: new WireWriter().message(7, graph).finish() }
}

/** The value that a norm normalises, as a name or as a sum of two. */
function streamOf(
  node: OnnxNode,
  producers: ReadonlyMap<string, OnnxNode>,
): { name: string; addend?: string } | undefined {
  if (node.operator === 'SkipSimplifiedLayerNormalization') {
    const [input, skip, , bias] = node.inputs
    if (node.outputs[3]) return { name: node.outputs[3] }
    return bias ? undefined : { name: input, addend: skip }
  }
  if (node.operator !== 'Mul') return { name: node.inputs[0] }
  // Written out: the first square on the way back is of the stream itself.
  const waiting = [...node.inputs]
  const seen = new Set<string>()
  for (let steps = 0; steps < 64; steps++) {
    const name = waiting.shift()
    const producer = name === undefined ? undefined : producers.get(name)
    if (name === undefined) return undefined
    if (!producer || seen.has(name)) continue
    seen.add(name)
    const { operator, inputs } = producer
    if (operator === 'Pow' || (operator === 'Mul' && inputs[0] === inputs[1])) {
      const cast = producers.get(inputs[0])
      return { name: cast?.operator === 'Cast' ? cast.inputs[0] : inputs[0] }
    }
    if (['Mul', 'Div', 'Cast', 'Reciprocal', 'Sqrt', 'Rsqrt', 'Add', 'ReduceMean'].includes(operator))
      waiting.push(...inputs)
  }
  return undefined
}
