// Low-rank branches in a user's ONNX graph: beside every matrix W runs U diag(s) V, s an input of the graph, so that a
// quantised model can be moved without touching its weights. The node that multiplies by W gives its output under
// another name, and an appended sum takes the old one. Nodes need no order in the file: onnxruntime sorts them.

import { EngineError } from '../../errors.ts'
import type { Piece } from '../../files/formats/onnx/assemble.ts'
import type { OnnxCheckpoint } from '../../files/formats/onnx/openOnnx.ts'
import type { OnnxNode } from '../../files/formats/onnx/proto.ts'
import type { Slot } from '../../files/formats/onnx/slot.ts'
import { fieldsOf, type WireField } from '../../files/formats/onnx/wire.ts'
import { WireWriter } from '../../files/formats/onnx/wireWriter.ts'

/** Factors of one weight (M,N) as Hugging Face has it. */
export interface Branch {
  name: string
  M: number
  N: number
  /** U (M,r), row-major */ u: Float32Array
  /** V (r,N), row-major */ v: Float32Array
}

const FLOAT = 1
const HALF = 10

/** Name of the input that holds s of branch `index`, (r) float32. */
export const branchInput = (index: number): string => `alignmerge.s.${index}`

/** Nodes, tensors and inputs as fields of a GraphProto. */
class GraphFields {
  readonly writer = new WireWriter()
  private count = 0

  node(
    operator: string,
    inputs: readonly string[],
    attributes: Record<string, number> = {},
    output?: string,
  ): string {
    const name = output ?? `alignmerge.branch.${this.count++}`
    const node = new WireWriter()
    for (const input of inputs) node.text(1, input)
    node.text(2, name).text(3, name).text(4, operator)
    for (const [key, value] of Object.entries(attributes))
      node.message(5, new WireWriter().text(1, key).int(3, value).int(20, 2))
    this.writer.message(1, node)
    return name
  }

  floats(dims: readonly number[], values: Float32Array): string {
    const name = `alignmerge.factor.${this.count++}`
    const tensor = new WireWriter()
    for (const size of dims) tensor.int(1, size)
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
    this.writer.message(5, tensor.int(2, FLOAT).text(8, name).data(9, bytes))
    return name
  }

  input(name: string, size: number): void {
    const shape = new WireWriter().message(1, new WireWriter().int(1, size))
    const tensor = new WireWriter().int(1, FLOAT).message(2, shape)
    this.writer.message(11, new WireWriter().text(1, name).message(2, new WireWriter().message(1, tensor)))
  }
}

interface Placed {
  branch: Branch
  index: number
  piece: Piece
}

/**
 * The model file's bytes with branches beside the matrices; other weights stay. `file-unsupported` for a graph whose
 * matrices stand in inner graphs.
 */
export function addBranches(
  bytes: Uint8Array,
  checkpoint: OnnxCheckpoint,
  branches: readonly Branch[],
  rank: number,
  isHalf: boolean,
): Uint8Array<ArrayBuffer> {
  const { model, path } = checkpoint
  const bySlot = placeBranches(checkpoint, branches)
  const renamed = new Map<OnnxNode, string>()
  const added = new GraphFields()
  branches.forEach((_, index) => {
    added.input(branchInput(index), rank)
  })
  for (const [slot, placed] of bySlot) {
    const { node } = slot
    const [output] = node.outputs
    if (node.isNested || model.graphs.length !== 1 || renamed.has(node))
      throw new EngineError('file-unsupported', 'matrices in inner graphs take no low-rank branch', {
        file: path,
      })
    const plain = `${output}.unmoved`
    renamed.set(node, plain)
    const parts = placed.map((part) => addBranch(added, node, part, rank, isHalf))
    const moved = parts.length === 1 ? parts[0] : added.node('Concat', parts, { axis: -1 })
    const sum = isHalf ? added.node('Cast', [moved], { to: HALF }) : moved
    added.node('Add', [plain, sum], {}, output)
  }
  return rebuild(bytes, checkpoint, renamed, added.writer.finish())
}

/** Slots with the parts of branches beside them, in order of their rows. */
function placeBranches({ weights, path }: OnnxCheckpoint, branches: readonly Branch[]): Map<Slot, Placed[]> {
  const bySlot = new Map<Slot, Placed[]>()
  branches.forEach((branch, index) => {
    const weight = weights.get(branch.name)
    if (!weight)
      throw new EngineError('file-missing', 'the ONNX file has no such weight', {
        file: path,
        tensor: branch.name,
      })
    for (const piece of [...weight.pieces, ...weight.copies]) {
      const known = bySlot.get(piece.slot) ?? []
      known.push({ branch, index, piece })
      bySlot.set(piece.slot, known)
    }
  })
  for (const [slot, placed] of bySlot) {
    placed.sort((a, b) => a.piece.slotRow - b.piece.slotRow)
    const rows = placed.reduce((sum, { piece }) => sum + piece.rows, 0)
    if (rows !== slot.rows)
      throw new EngineError('request-invalid', `branches of ${rows} of ${slot.rows} rows of ${slot.module}`, {
        file: path,
      })
  }
  return bySlot
}

/** (…, rows) of one part: U diag(s) V of its rows, applied to what the node is applied to. */
function addBranch(
  graph: GraphFields,
  node: OnnxNode,
  { branch, index, piece }: Placed,
  rank: number,
  isHalf: boolean,
): string {
  const { u, v, N } = branch
  const s = branchInput(index)
  const own = u.subarray(piece.row * rank, (piece.row + piece.rows) * rank)
  if (/^Gather/.test(node.operator)) {
    const rows = graph.node('Gather', [graph.floats([piece.rows, rank], own), node.inputs[1]], { axis: 0 })
    return graph.node('MatMul', [graph.node('Mul', [rows, s]), graph.floats([rank, N], v)])
  }
  const x = isHalf ? graph.node('Cast', [node.inputs[0]], { to: FLOAT }) : node.inputs[0]
  const inner = graph.node('MatMul', [x, graph.floats([N, rank], turned(v, rank, N))])
  const scaled = graph.node('Mul', [inner, s])
  return graph.node('MatMul', [scaled, graph.floats([rank, piece.rows], turned(own, piece.rows, rank))])
}

function turned(values: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(values.length)
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) out[c * rows + r] = values[r * columns + c]
  return out
}

/** The file with some nodes' first outputs renamed and fields added to its graph. */
function rebuild(
  bytes: Uint8Array,
  { model, path }: OnnxCheckpoint,
  renamed: ReadonlyMap<OnnxNode, string>,
  added: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const span = { bytes, base: 0, file: path }
  const names = new Map([...renamed].map(([node, name]) => [node.offset, name]))
  /** Copies a message's fields, but for those that `replace` writes itself. */
  const copy = (begin: number, end: number, replace: (out: WireWriter, field: WireField) => boolean) => {
    const out = new WireWriter()
    let at = begin
    for (const field of fieldsOf(span, begin, end)) {
      const next = field.begin + field.length
      if (!replace(out, field)) out.raw(bytes.subarray(at, next))
      at = next
    }
    return out
  }
  const node = (begin: number, end: number, name: string) => {
    let isFirst = true
    return copy(begin, end, (out, { number }) => {
      if (number !== 2 || !isFirst) return false
      isFirst = false
      out.text(2, name)
      return true
    })
  }
  const [{ offset, length }] = model.graphs
  const graph = copy(offset, offset + length, (out, field) => {
    const name = field.number === 1 ? names.get(field.begin) : undefined
    if (name === undefined) return false
    out.message(1, node(field.begin, field.begin + field.length, name))
    return true
  }).raw(added)
  return copy(0, bytes.byteLength, (out, field) => {
    if (field.begin !== offset || field.number !== 7) return false
    out.message(7, graph)
    return true
  }).finish()
}
