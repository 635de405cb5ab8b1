// Writes ONNX models: the dozen protobuf fields of onnx.proto3 that a small float graph needs, nothing that
// reads. Field numbers are those of https://github.com/onnx/onnx/blob/v1.17.0/onnx/onnx.proto3; protobuf wire
// format: varint (0), length-delimited (2), 32-bit (5).

import { toF16 } from '../../tensors/dtype.ts'

/** TensorProto.DataType */
const ELEMENT_TYPES = { float32: 1, int32: 6, int64: 7, float16: 10 } as const
export type OnnxElementType = keyof typeof ELEMENT_TYPES

/** A whole number, a list of whole numbers, a text or `{ float }`: JavaScript cannot tell 1.0 from 1. */
export type OnnxAttribute = number | number[] | string | { float: number }

/** A number is a fixed size, a string a symbolic one (equal strings: equal sizes). */
export type OnnxDimension = number | string

const IR_VERSION = 10
/** The newest that onnxruntime 1.30's WebGPU operators were all tried with. */
const OPSET = 21
/** Operators of onnxruntime's own: GroupQueryAttention, fused norms, gates. */
export const MICROSOFT = 'com.microsoft'

class Message {
  readonly bytes: number[] = []
  varint(value: number | bigint): this {
    // Negative int64 are ten bytes of two's complement.
    let rest = BigInt.asUintN(64, BigInt(value))
    for (; rest > 127n; rest >>= 7n) this.bytes.push(Number(rest & 127n) | 128)
    this.bytes.push(Number(rest))
    return this
  }
  int(field: number, value: number): this {
    return this.varint(field << 3).varint(value)
  }
  data(field: number, value: ArrayLike<number>): this {
    this.varint((field << 3) | 2).varint(value.length)
    for (let i = 0; i < value.length; i++) this.bytes.push(value[i])
    return this
  }
  text(field: number, value: string): this {
    return this.data(field, new TextEncoder().encode(value))
  }
  message(field: number, value: Message): this {
    return this.data(field, value.bytes)
  }
  float(field: number, value: number): this {
    this.varint((field << 3) | 5)
    this.bytes.push(...littleEndian('float32', [value]))
    return this
  }
}

function littleEndian(type: OnnxElementType, values: readonly number[]): Uint8Array {
  const size = type === 'int64' ? 8 : type === 'float16' ? 2 : 4
  const view = new DataView(new ArrayBuffer(values.length * size))
  values.forEach((value, i) => {
    if (type === 'float16') view.setUint16(i * size, toF16(value), true)
    else if (type === 'float32') view.setFloat32(i * size, value, true)
    else if (type === 'int32') view.setInt32(i * size, value, true)
    else view.setBigInt64(i * size, BigInt(value), true)
  })
  return new Uint8Array(view.buffer)
}

/** AttributeProto; `type` is FLOAT 1, INT 2, STRING 3, INTS 7. */
function attribute(name: string, value: OnnxAttribute): Message {
  const message = new Message().text(1, name)
  if (typeof value === 'number') return message.int(3, value).int(20, 2)
  if (typeof value === 'string') return message.text(4, value).int(20, 3)
  if (!Array.isArray(value)) return message.float(2, value.float).int(20, 1)
  for (const item of value) message.int(8, item)
  return message.int(20, 7)
}

/** ValueInfoProto of a tensor. */
function valueInfo(name: string, type: OnnxElementType, shape: readonly OnnxDimension[]): Message {
  const dimensions = new Message()
  for (const size of shape)
    dimensions.message(1, typeof size === 'number' ? new Message().int(1, size) : new Message().text(2, size))
  const tensor = new Message().int(1, ELEMENT_TYPES[type]).message(2, dimensions)
  return new Message().text(1, name).message(2, new Message().message(1, tensor))
}

/** A graph under construction; values are known by their names, which the graph does not check. */
export class OnnxGraph {
  readonly #graph = new Message()
  readonly #constants = new Set<string>()
  #nodeCount = 0

  input(name: string, type: OnnxElementType, shape: readonly OnnxDimension[]): string {
    this.#graph.message(11, valueInfo(name, type, shape))
    return name
  }

  output(name: string, type: OnnxElementType, shape: readonly OnnxDimension[]): void {
    this.#graph.message(12, valueInfo(name, type, shape))
  }

  /** An initialiser holding `values`; without `shape` 1-D. Equal constants are written once. Returns its name. */
  constant(
    type: OnnxElementType,
    values: readonly number[],
    shape: readonly number[] = [values.length],
  ): string {
    const name = `constant.${type}.${shape.join('x')}.${values.join(',')}`
    if (this.#constants.has(name)) return name
    this.#constants.add(name)
    const tensor = new Message()
    for (const size of shape) tensor.int(1, size)
    tensor.int(2, ELEMENT_TYPES[type]).text(8, name).data(9, littleEndian(type, values))
    this.#graph.message(5, tensor)
    return name
  }

  /**
   * An initialiser whose bytes are the whole of the external file `file`, little-endian. Returns its name.
   * The session is given the file by name, so that no weight passes through this writer.
   */
  external(name: string, type: OnnxElementType, shape: readonly number[], file: string): string {
    const tensor = new Message()
    for (const size of shape) tensor.int(1, size)
    const location = new Message().text(1, 'location').text(2, file)
    this.#graph.message(5, tensor.int(2, ELEMENT_TYPES[type]).text(8, name).message(13, location).int(14, 1))
    return name
  }

  /**
   * Adds a node whose first output is `output`; further ones go in `moreOutputs`. An empty name leaves out an
   * optional input or output. `domain`: the operator's, default ONNX's own. Returns `output`.
   */
  node(
    operator: string,
    inputs: readonly string[],
    output: string,
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
    moreOutputs: readonly string[] = [],
    domain = '',
  ): string {
    const node = new Message()
    for (const input of inputs) node.text(1, input)
    for (const name of [output, ...moreOutputs]) node.text(2, name)
    node.text(3, `${operator}.${this.#nodeCount++}`).text(4, operator)
    for (const [name, value] of Object.entries(attributes)) node.message(5, attribute(name, value))
    if (domain !== '') node.text(7, domain)
    this.#graph.message(1, node)
    return output
  }

  /** The finished ModelProto; the graph may not be added to afterwards. */
  toModel(producer: string): Uint8Array<ArrayBuffer> {
    this.#graph.text(2, 'graph')
    const model = new Message().int(1, IR_VERSION).text(2, producer).message(7, this.#graph)
    const opsets: [string, number][] = [
      ['', OPSET],
      [MICROSOFT, 1],
    ]
    for (const [domain, version] of opsets) model.message(8, new Message().text(1, domain).int(2, version))
    return Uint8Array.from(model.bytes)
  }
}
