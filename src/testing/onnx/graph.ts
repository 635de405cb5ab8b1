// Writes ONNX models for tests: any operator, quantised tensors, values inside the model file or in a file beside it.
// Fields are those of onnx.proto3; nothing is checked.

import { WireWriter } from '../../core/files/formats/onnx/wireWriter.ts'

const TYPES = {
  float32: 1,
  uint8: 2,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  uint4: 21,
  int4: 22,
} as const
export type GraphType = keyof typeof TYPES
export type Attribute = number | string | number[] | { float: number }

/** Values below this stay in the model file, as exporters do. */
const INLINE_BYTES = 64

export class TestGraph {
  private readonly graph = new WireWriter()
  private readonly external: string | undefined
  private readonly data: Uint8Array[] = []
  private dataBytes = 0
  private count = 0

  /** `external`: name of the data file; undefined: everything in the model file */
  constructor(external?: string) {
    this.external = external
  }

  private value(field: 11 | 12, name: string, type: GraphType, dims: readonly (number | string)[]): void {
    const shape = new WireWriter()
    for (const size of dims)
      shape.message(
        1,
        typeof size === 'number' ? new WireWriter().int(1, size) : new WireWriter().text(2, size),
      )
    const tensor = new WireWriter().int(1, TYPES[type]).message(2, shape)
    this.graph.message(field, new WireWriter().text(1, name).message(2, new WireWriter().message(1, tensor)))
  }
  input(name: string, type: GraphType, dims: readonly (number | string)[]): string {
    this.value(11, name, type, dims)
    return name
  }
  output(name: string, type: GraphType, dims: readonly (number | string)[]): void {
    this.value(12, name, type, dims)
  }

  /** An initialiser of little-endian bytes; returns its name. */
  tensor(name: string, type: GraphType, dims: readonly number[], bytes: Uint8Array): string {
    const tensor = new WireWriter()
    for (const size of dims) tensor.int(1, size)
    tensor.int(2, TYPES[type]).text(8, name)
    if (this.external === undefined || bytes.byteLength < INLINE_BYTES) tensor.data(9, bytes)
    else {
      const place = { location: this.external, offset: this.dataBytes, length: bytes.byteLength }
      for (const [key, value] of Object.entries(place))
        tensor.message(13, new WireWriter().text(1, key).text(2, String(value)))
      tensor.int(14, 1)
      // Offsets of 64, so that a gap is between tensors.
      const padded = new Uint8Array(Math.ceil(bytes.byteLength / 64) * 64).fill(0xa5)
      padded.set(bytes)
      this.data.push(padded)
      this.dataBytes += padded.byteLength
    }
    this.graph.message(5, tensor)
    return name
  }
  floats(name: string, dims: readonly number[], values: ArrayLike<number>): string {
    return this.tensor(name, 'float32', dims, new Uint8Array(Float32Array.from(values).buffer))
  }
  integers(name: string, values: readonly number[], dims: readonly number[] = [values.length]): string {
    const bytes = new Uint8Array(BigInt64Array.from(values, BigInt).buffer)
    return this.tensor(name, 'int64', dims, bytes)
  }

  /** Returns the first output; '' leaves an input or output out. */
  node(
    operator: string,
    inputs: readonly string[],
    outputs: readonly string[],
    options: { name?: string; domain?: string; attributes?: Readonly<Record<string, Attribute>> } = {},
  ): string {
    const node = new WireWriter()
    for (const input of inputs) node.text(1, input)
    for (const output of outputs) node.text(2, output)
    node.text(3, options.name ?? `${operator}_${this.count++}`).text(4, operator)
    for (const [name, value] of Object.entries(options.attributes ?? {}))
      node.message(5, attribute(name, value))
    if (options.domain) node.text(7, options.domain)
    this.graph.message(1, node)
    return outputs[0]
  }

  /** The same in the field that only floats have. */
  packedFloats(name: string, dims: readonly number[], bytes: Uint8Array): string {
    const tensor = new WireWriter()
    for (const size of dims) tensor.int(1, size)
    this.graph.message(5, tensor.int(2, TYPES.float32).text(8, name).data(4, bytes))
    return name
  }

  /** Takes over all that another graph holds. */
  adopt(other: TestGraph): void {
    this.graph.raw(other.graph.finish())
  }

  /** A Constant node holding floats; returns its output. */
  constant(name: string, dims: readonly number[], values: readonly number[]): string {
    const tensor = new WireWriter()
    for (const size of dims) tensor.int(1, size)
    tensor.int(2, TYPES.float32).data(9, new Uint8Array(Float32Array.from(values).buffer))
    const value = new WireWriter().text(1, 'value').message(5, tensor).int(20, 4)
    this.graph.message(1, new WireWriter().text(2, name).text(4, 'Constant').message(5, value))
    return name
  }

  /** A node with a graph inside, as If and Loop have; `fill` writes that graph. */
  branch(operator: string, fill: (graph: TestGraph) => void, name = operator): void {
    const inner = new TestGraph()
    fill(inner)
    const value = new WireWriter().text(1, 'then_branch').message(6, inner.graph).int(20, 5)
    this.graph.message(1, new WireWriter().text(3, name).text(4, operator).message(5, value))
  }

  finish(): { model: Uint8Array<ArrayBuffer>; data: Uint8Array<ArrayBuffer> | undefined } {
    const opset = (domain: string, version: number) => new WireWriter().text(1, domain).int(2, version)
    const model = new WireWriter()
      .int(1, 10)
      .text(2, 'a test')
      .message(7, this.graph.text(2, 'main_graph'))
      .message(8, opset('', 21))
      .message(8, opset('com.microsoft', 1))
      .finish()
    if (this.external === undefined) return { model, data: undefined }
    const data = new Uint8Array(this.dataBytes)
    let at = 0
    for (const part of this.data) {
      data.set(part, at)
      at += part.byteLength
    }
    return { model, data }
  }
}

/** AttributeProto; `type` is FLOAT 1, INT 2, STRING 3, INTS 7. */
function attribute(name: string, value: Attribute): WireWriter {
  const message = new WireWriter().text(1, name)
  if (typeof value === 'number') return message.int(3, value).int(20, 2)
  if (typeof value === 'string') return message.text(4, value).int(20, 3)
  if (!Array.isArray(value)) return message.float(2, value.float).int(20, 1)
  for (const item of value) message.int(8, item)
  return message.int(20, 7)
}
