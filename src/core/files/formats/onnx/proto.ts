// What is read of an ONNX model: nodes, the places of its tensors, inputs and outputs. Field numbers are those of
// https://github.com/onnx/onnx/blob/v1.17.0/onnx/onnx.proto3. Values of tensors are never read here, only found.

import { EngineError } from '../../../errors.ts'
import type { ByteSource } from '../../source.ts'
import { bytesOf, fieldsOf, integersOf, type Span, textOf, type WireField, WireFile } from './wire.ts'

/** TensorProto.DataType → name and bits of an element. */
export const ELEMENT_TYPES: Readonly<Record<number, { name: string; bits: number }>> = {
  1: { name: 'float32', bits: 32 },
  2: { name: 'uint8', bits: 8 },
  3: { name: 'int8', bits: 8 },
  4: { name: 'uint16', bits: 16 },
  5: { name: 'int16', bits: 16 },
  6: { name: 'int32', bits: 32 },
  7: { name: 'int64', bits: 64 },
  9: { name: 'bool', bits: 8 },
  10: { name: 'float16', bits: 16 },
  11: { name: 'float64', bits: 64 },
  12: { name: 'uint32', bits: 32 },
  13: { name: 'uint64', bits: 64 },
  16: { name: 'bfloat16', bits: 16 },
  21: { name: 'uint4', bits: 4 },
  22: { name: 'int4', bits: 4 },
}

/** Where little-endian values of a tensor lie. */
export interface TensorPlace {
  /** undefined: the model file itself; else a path beside it */
  location: string | undefined
  offset: number
  length: number
}

export interface OnnxTensor {
  name: string
  dims: number[]
  /** name of its element type; `type 23` for one that is not in the table */
  type: string
  /** undefined where the values cannot be taken as they lie; `problem` says why */
  place: TensorPlace | undefined
  problem?: string
}

export interface OnnxNode {
  name: string
  operator: string
  domain: string
  /** '' where an optional one is left out */
  inputs: string[]
  outputs: string[]
  /** whole numbers, floats and texts; lists of whole numbers */
  attributes: Map<string, number | number[] | string>
  /** stands in the branch of an If or the body of a Loop */
  isNested: boolean
  /** its message in the file */
  offset: number
  length: number
}

export interface OnnxValue {
  name: string
  /** element type, '' where the file does not say */
  type: string
  /** sizes; texts are symbolic, '' unknown. undefined where the file does not say */
  dims: (number | string)[] | undefined
}

export interface OnnxModel {
  source: ByteSource
  nodes: OnnxNode[]
  /** by name, nested graphs' and values of Constant nodes among them */
  tensors: Map<string, OnnxTensor>
  inputs: OnnxValue[]
  outputs: OnnxValue[]
  /** messages of the graph in the file: one, unless something was appended */
  graphs: { offset: number; length: number }[]
}

const MAX_NODES = 200_000
const MAX_TENSORS = 100_000
const MAX_NAME = 4096
const MAX_DIMS = 16
const MAX_IO = 20_000
/** Names that one node takes and gives. */
const MAX_ENDS = 4096
const MAX_DEPTH = 4
/** A node or a small field; weights in Constant nodes above this are not read. */
const MAX_NODE_BYTES = 2 ** 26
/** Fields of a tensor that hold values. */
const DATA_FIELDS = new Set([4, 5, 6, 7, 9, 10, 11])
/** A tensor below this is taken from the window as a whole. */
const SMALL = 2 ** 12

class Collector {
  readonly model: OnnxModel
  constructor(source: ByteSource) {
    this.model = { source, nodes: [], tensors: new Map(), inputs: [], outputs: [], graphs: [] }
  }
  fail(message: string, offset: number): never {
    throw new EngineError('file-malformed', message, { file: this.model.source.name, offset })
  }
  addNode(node: OnnxNode, offset: number): void {
    if (this.model.nodes.length >= MAX_NODES) this.fail(`more than ${MAX_NODES} nodes`, offset)
    this.model.nodes.push(node)
  }
  addTensor(tensor: OnnxTensor, offset: number): void {
    if (this.model.tensors.size >= MAX_TENSORS) this.fail(`more than ${MAX_TENSORS} tensors`, offset)
    if (this.model.tensors.has(tensor.name)) this.fail(`two tensors are called ${tensor.name}`, offset)
    this.model.tensors.set(tensor.name, tensor)
  }
  addValue(list: OnnxValue[], value: OnnxValue, offset: number): void {
    if (list.length >= MAX_IO) this.fail(`more than ${MAX_IO} inputs or outputs`, offset)
    list.push(value)
  }
}

/**
 * Headers of the model file: everything but the values of tensors. `file-malformed` with the offset of what
 * contradicts the format, `file-unsupported` for sparse tensors.
 */
export async function readOnnxModel(source: ByteSource, signal?: AbortSignal): Promise<OnnxModel> {
  const file = new WireFile(source, signal)
  const collector = new Collector(source)
  for await (const field of file.fields(0, source.size)) {
    if (field.number !== 7) continue
    if (field.wire !== 2) collector.fail('graph: expected a message', field.begin)
    collector.model.graphs.push({ offset: field.begin, length: field.length })
    await readGraph(file, collector, field)
  }
  if (collector.model.graphs.length === 0) collector.fail('the file holds no ONNX graph', 0)
  return collector.model
}

async function readGraph(file: WireFile, collector: Collector, graph: WireField): Promise<void> {
  const { model } = collector
  for await (const field of file.fields(graph.begin, graph.begin + graph.length)) {
    const { number, begin, length } = field
    if (![1, 5, 11, 12, 15].includes(number)) continue
    if (field.wire !== 2) collector.fail(`graph field ${number}: expected a message`, begin)
    if (number === 5) {
      const tensor =
        length <= SMALL
          ? readTensor(await file.span(begin, length), begin, begin + length)
          : await readLargeTensor(file, begin, begin + length)
      collector.addTensor(tensor, begin)
      continue
    }
    if (number === 15)
      throw new EngineError('file-unsupported', 'a sparse tensor: expected dense ones', {
        file: file.source.name,
        offset: begin,
      })
    if (length > MAX_NODE_BYTES) collector.fail(`graph field ${number} has ${length} bytes`, begin)
    const span = await file.span(begin, length)
    if (number === 1) readNode(span, begin, begin + length, collector, 0)
    else
      collector.addValue(
        number === 11 ? model.inputs : model.outputs,
        readValue(span, begin, begin + length),
        begin,
      )
  }
}

function readNode(span: Span, begin: number, end: number, collector: Collector, depth: number): void {
  const node: OnnxNode = {
    name: '',
    operator: '',
    domain: '',
    inputs: [],
    outputs: [],
    attributes: new Map(),
    isNested: depth > 0,
    offset: begin,
    length: end - begin,
  }
  // Before its own graphs, so that nodes stand in the order of the file.
  collector.addNode(node, begin)
  let ends = 0
  for (const field of fieldsOf(span, begin, end)) {
    const text = () => textOf(span, field, MAX_NAME)
    if (field.number === 1 || field.number === 2) {
      if (++ends > MAX_ENDS) collector.fail(`a node with more than ${MAX_ENDS} inputs and outputs`, begin)
      ;(field.number === 1 ? node.inputs : node.outputs).push(text())
    } else if (field.number === 3) node.name = text()
    else if (field.number === 4) node.operator = text()
    else if (field.number === 7) node.domain = text() === 'ai.onnx' ? '' : text()
    else if (field.number === 5) {
      if (field.wire !== 2) collector.fail('attribute: expected a message', field.begin)
      readAttribute(span, field, node, collector, depth)
    }
  }
}

function readAttribute(
  span: Span,
  { begin, length }: WireField,
  node: OnnxNode,
  collector: Collector,
  depth: number,
): void {
  let name = ''
  let value: number | number[] | string | undefined
  let tensor: WireField | undefined
  for (const field of fieldsOf(span, begin, begin + length)) {
    if (field.number === 1) name = textOf(span, field, MAX_NAME)
    else if (field.number === 2 && field.wire === 5) {
      const bytes = bytesOf(span, field)
      value = new DataView(bytes.buffer, bytes.byteOffset, 4).getFloat32(0, true)
    } else if (field.number === 3 && field.wire === 0) value = field.value
    // Longer texts are code or JSON of no use here.
    else if (field.number === 4 && field.length <= MAX_NAME) value = latin(bytesOf(span, field))
    else if (field.number === 5 && field.wire === 2) tensor = field
    else if (field.number === 6 && field.wire === 2) readNestedGraph(span, field, collector, depth + 1)
    else if (field.number === 8) {
      const known = Array.isArray(value) ? value : []
      for (const item of integersOf(span, field)) if (known.length < MAX_ENDS) known.push(item)
      value = known
    }
  }
  if (value !== undefined && node.attributes.size < 64) node.attributes.set(name, value)
  const [output] = node.outputs
  if (node.operator === 'Constant' && name === 'value' && tensor && output) {
    const found = readTensor(span, tensor.begin, tensor.begin + tensor.length)
    collector.addTensor({ ...found, name: output }, tensor.begin)
  }
}

/** Attribute texts are bytes by definition. */
const latin = (bytes: Uint8Array): string => String.fromCharCode(...bytes)

function readNestedGraph(span: Span, graph: WireField, collector: Collector, depth: number): void {
  if (depth > MAX_DEPTH) collector.fail(`graphs nested more than ${MAX_DEPTH} deep`, graph.begin)
  for (const field of fieldsOf(span, graph.begin, graph.begin + graph.length)) {
    if ((field.number !== 1 && field.number !== 5) || field.wire !== 2) continue
    const end = field.begin + field.length
    if (field.number === 1) readNode(span, field.begin, end, collector, depth)
    else {
      const tensor = readTensor(span, field.begin, end)
      // Branches may have tensors of one name; those are small, weights are shared from outside.
      if (!collector.model.tensors.has(tensor.name)) collector.addTensor(tensor, field.begin)
    }
  }
}

/** Fields of a tensor collected one by one. */
class TensorFields {
  private readonly file: string
  private readonly dims: number[] = []
  private name = ''
  private type = 0
  private isExternal = false
  private readonly external = new Map<string, string>()
  private data: WireField | undefined
  private isScattered = false
  constructor(file: string) {
    this.file = file
  }

  /** `span` holds the field unless it is one of values. */
  add(span: Span, field: WireField): void {
    const fail = (message: string): never => {
      throw new EngineError('file-malformed', message, { file: this.file, offset: field.begin })
    }
    if (DATA_FIELDS.has(field.number)) {
      if (this.data || field.wire !== 2) this.isScattered = true
      this.data ??= field
    } else if (field.number === 1) {
      for (const size of integersOf(span, field)) {
        if (!Number.isSafeInteger(size) || size < 0) fail(`a tensor of size ${size}`)
        if (this.dims.push(size) > MAX_DIMS) fail(`a tensor of more than ${MAX_DIMS} dimensions`)
      }
    } else if (field.number === 2 && field.wire === 0) this.type = field.value
    else if (field.number === 8) this.name = textOf(span, field, MAX_NAME)
    else if (field.number === 13 && field.wire === 2) {
      let key = ''
      let value = ''
      for (const entry of fieldsOf(span, field.begin, field.begin + field.length)) {
        if (entry.number === 1) key = textOf(span, entry, MAX_NAME)
        else if (entry.number === 2) value = textOf(span, entry, MAX_NAME)
      }
      if (this.external.size < 16) this.external.set(key, value)
    } else if (field.number === 14 && field.wire === 0) this.isExternal = field.value === 1
  }

  finish(): OnnxTensor {
    const { name, dims } = this
    const known = ELEMENT_TYPES[this.type]
    const about = { name, dims, type: known?.name ?? `type ${this.type}` }
    const unusable = (problem: string): OnnxTensor => ({ ...about, place: undefined, problem })
    if (!known) return unusable(`element ${about.type}`)
    const count = dims.reduce((a, b) => a * b, 1)
    const length = Math.ceil((count * known.bits) / 8)
    if (!Number.isSafeInteger(length)) return unusable(`sizes ${dims.join(' × ')}`)
    if (this.isExternal) {
      const location = this.external.get('location')
      const offset = Number(this.external.get('offset') ?? 0)
      const stated = Number(this.external.get('length') ?? length)
      if (!location || !Number.isSafeInteger(offset) || offset < 0)
        return unusable('external data without a location and an offset')
      if (stated !== length) return unusable(`${stated} bytes outside the file, expected ${length}`)
      return { ...about, place: { location, offset, length } }
    }
    // Floats and doubles of a packed field lie as raw data do; integers are varints there.
    const isPlain =
      this.data?.number === 9 ||
      (this.data?.number === 4 && known.name === 'float32') ||
      (this.data?.number === 10 && known.name === 'float64')
    if (!this.data && length > 0) return unusable('no values')
    if (this.data && (!isPlain || this.isScattered))
      return unusable(`${known.name} values one by one in field ${this.data.number}`)
    if (this.data && this.data.length !== length)
      return unusable(`${this.data.length} bytes of values, expected ${length}`)
    return { ...about, place: { location: undefined, offset: this.data?.begin ?? 0, length } }
  }
}

function readTensor(span: Span, begin: number, end: number): OnnxTensor {
  const fields = new TensorFields(span.file)
  for (const field of fieldsOf(span, begin, end)) fields.add(span, field)
  return fields.finish()
}

async function readLargeTensor(file: WireFile, begin: number, end: number): Promise<OnnxTensor> {
  const fields = new TensorFields(file.source.name)
  for await (const field of file.fields(begin, end)) {
    const isData = DATA_FIELDS.has(field.number)
    if (!isData && field.length > MAX_NODE_BYTES)
      throw new EngineError('file-malformed', `tensor field ${field.number} has ${field.length} bytes`, {
        file: file.source.name,
        offset: field.begin,
      })
    const span = isData
      ? { bytes: new Uint8Array(0), base: field.begin, file: file.source.name }
      : await file.span(field.begin, field.length)
    fields.add(span, field)
  }
  return fields.finish()
}

/** ValueInfoProto of a tensor. */
function readValue(span: Span, begin: number, end: number): OnnxValue {
  const value: OnnxValue = { name: '', type: '', dims: undefined }
  const within = (field: WireField) =>
    field.wire === 2 ? fieldsOf(span, field.begin, field.begin + field.length) : []
  for (const field of fieldsOf(span, begin, end)) {
    if (field.number === 1) value.name = textOf(span, field, MAX_NAME)
    if (field.number !== 2) continue
    for (const type of within(field)) {
      if (type.number !== 1) continue
      for (const part of within(type)) {
        if (part.number === 1 && part.wire === 0)
          value.type = ELEMENT_TYPES[part.value]?.name ?? `type ${part.value}`
        if (part.number === 2) value.dims = readDims(span, part)
      }
    }
  }
  return value
}

function readDims(span: Span, shape: WireField): (number | string)[] {
  const dims: (number | string)[] = []
  if (shape.wire !== 2) return dims
  for (const dim of fieldsOf(span, shape.begin, shape.begin + shape.length)) {
    if (dim.number !== 1 || dim.wire !== 2 || dims.length >= MAX_DIMS) continue
    let size: number | string = ''
    for (const part of fieldsOf(span, dim.begin, dim.begin + dim.length)) {
      if (part.number === 1 && part.wire === 0) size = part.value
      else if (part.number === 2) size = textOf(span, part, MAX_NAME)
    }
    dims.push(size)
  }
  return dims
}
