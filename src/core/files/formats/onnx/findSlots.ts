// Where a graph uses weights: nodes whose operands are tensors of the file, read as slots. Quantised operators are
// onnxruntime's (MatMulNBits, GatherBlockQuantized); plain ones are read in either orientation.

import { type BlockOperand, gatherBlocks, matMulBlocks } from './blockOperands.ts'
import { isNorm, moduleOf } from './names.ts'
import type { OnnxModel, OnnxNode, OnnxTensor } from './proto.ts'
import { FLOATS, type Float, type Layout, type Slot } from './slot.ts'

export interface FoundSlots {
  slots: Slot[]
  /** tensor → why it was not read, of those that look like weights */
  unmapped: Map<string, string>
  /** Hugging Face's name → why it was not read, where its module is known */
  refused: Map<string, string>
  /** output name → the node that gives it */
  producers: Map<string, OnnxNode>
  /** module of a norm → its node: the one that multiplies by the norm's weight */
  norms: Map<string, OnnxNode>
}

export interface FindOptions {
  /** norms of the family add 1 to their weight; fused operators hold the sum */
  gainOffset: 0 | 1
}

/** Tables and masks that exporters write beside the weights. */
const NO_WEIGHT = /(^|[._/])(cos_cache|sin_cache|inv_freq|cos_cached|sin_cached|causal_mask|attn_mask)/
/** Tensors of fewer elements are shapes and constants. */
const LEAST_WEIGHT = 16

interface Operand {
  tensor: OnnxTensor
  isTransposed: boolean
}

class Search {
  readonly found: FoundSlots = {
    slots: [],
    unmapped: new Map(),
    refused: new Map(),
    producers: new Map(),
    norms: new Map(),
  }
  private readonly reasons = new Map<string, string>()
  private readonly seen = new Set<string>()
  private readonly model: OnnxModel
  private readonly options: FindOptions
  constructor(model: OnnxModel, options: FindOptions) {
    this.model = model
    this.options = options
    for (const node of model.nodes)
      for (const output of node.outputs) if (output) this.found.producers.set(output, node)
  }

  run(): FoundSlots {
    for (const node of this.model.nodes) this.visit(node)
    const taken = new Set(this.found.slots.flatMap(({ layout }) => tensorsOf(layout)).map(({ name }) => name))
    for (const node of this.model.nodes)
      for (const input of node.inputs) {
        const tensor = this.model.tensors.get(input)
        if (!tensor || taken.has(input) || this.found.unmapped.has(input) || !looksLikeWeight(tensor))
          continue
        const why = this.reasons.get(input) ?? `used by ${node.operator} ${node.name}`.trim()
        this.found.unmapped.set(input, why)
      }
    return this.found
  }

  private visit(node: OnnxNode): void {
    const { operator, inputs, attributes } = node
    const flag = (name: string, fallback: number) => Number(attributes.get(name) ?? fallback)
    switch (operator) {
      case 'MatMulNBits':
        this.blocks(node, 1, matMulBlocks(this.model, node))
        return
      case 'GatherBlockQuantized':
        this.blocks(node, 0, gatherBlocks(this.model, node))
        return
      case 'Gather':
        if (flag('axis', 0) === 0) this.plain(node, 0, 'out-in')
        return
      case 'MatMul':
        this.plain(node, 1, 'in-out')
        return
      case 'FusedMatMul':
        if (flag('transA', 0) === 0 && flag('alpha', 1) === 1)
          this.plain(node, 1, flag('transB', 0) === 0 ? 'in-out' : 'out-in')
        return
      case 'Gemm':
        if (flag('transA', 0) !== 0 || flag('alpha', 1) !== 1 || flag('beta', 1) !== 1) return
        this.plain(node, 1, flag('transB', 0) === 0 ? 'in-out' : 'out-in')
        if (inputs[2]) this.vector(node, inputs[2], 'bias')
        return
      case 'SimplifiedLayerNormalization':
      case 'RMSNormalization':
        this.vector(node, inputs[1], 'weight', this.options.gainOffset)
        return
      case 'SkipSimplifiedLayerNormalization':
        this.vector(node, inputs[2], 'weight', this.options.gainOffset)
        return
      case 'Mul':
      case 'Add':
        for (const input of inputs)
          if (this.model.tensors.has(input) || this.found.producers.get(input)?.operator === 'Cast')
            this.vector(node, input, operator === 'Mul' ? 'weight' : 'bias')
        return
    }
  }

  /** The tensor behind a name, through casts and turns of the whole matrix. */
  private operand(name: string): Operand | undefined {
    let isTransposed = false
    let at = name
    for (let steps = 0; steps < 8; steps++) {
      const tensor = this.model.tensors.get(at)
      if (tensor) return { tensor, isTransposed }
      const node = this.found.producers.get(at)
      if (node?.operator === 'Transpose') isTransposed = !isTransposed
      else if (node?.operator !== 'Cast' && node?.operator !== 'Identity') return undefined
      at = node.inputs[0] ?? ''
    }
    return undefined
  }

  /** A float tensor of a module; says why where there is none. */
  private usable(name: string, node: OnnxNode): (Operand & { type: Float }) | undefined {
    const operand = this.operand(name)
    if (!operand) return undefined
    const type = FLOATS[operand.tensor.type] as Float | undefined
    const problem =
      operand.tensor.problem ?? (type ? undefined : `${operand.tensor.type} in ${node.operator}`)
    if (!problem && type) return { ...operand, type }
    this.refuse(operand.tensor.name, problem ?? '', node)
    return undefined
  }

  private refuse(tensor: string, why: string, node: OnnxNode): void {
    this.reasons.set(tensor, why)
    const module = moduleOf(node.name) ?? moduleOf(tensor)
    if (module) this.found.refused.set(`${module}.weight`, why)
  }

  private plain(node: OnnxNode, input: number, order: 'in-out' | 'out-in'): void {
    const name = node.inputs[input]
    if (!name) return
    const operand = this.usable(name, node)
    if (operand?.tensor.dims.length !== 2) return
    const { tensor, type, isTransposed } = operand
    const module = moduleOf(node.name) ?? moduleOf(tensor.name)
    if (!module || isNorm(module)) return
    if (node.operator === 'Gather' && module !== 'model.embed_tokens') return
    const turned = isTransposed ? (order === 'in-out' ? 'out-in' : 'in-out') : order
    const [first, second] = tensor.dims
    this.add({
      module,
      part: 'weight',
      rows: turned === 'out-in' ? first : second,
      columns: turned === 'out-in' ? second : first,
      isVector: false,
      layout: { kind: 'plain', tensor, type, order: turned },
      shift: 0,
      storage: type.toUpperCase(),
      node,
    })
  }

  private vector(node: OnnxNode, name: string | undefined, use: Slot['part'], shift = 0): void {
    const operand = name ? this.usable(name, node) : undefined
    if (!operand) return
    const { tensor, type } = operand
    const length = tensor.dims.reduce((a, b) => a * b, 1)
    if (length < 2 || tensor.dims.at(-1) !== length) return
    const module = moduleOf(tensor.name) ?? moduleOf(node.name)
    // 1 + weight, written out: the tensor is as Hugging Face has it.
    const isOffset = use === 'bias' && this.options.gainOffset === 1 && module && isNorm(module)
    const part = isOffset ? 'weight' : use
    // A factor that is no norm's, or a summand that is no module's, belongs to the arithmetic around.
    if (!module || isNorm(module) !== (part === 'weight')) return
    if (use === 'weight' && !this.found.norms.has(module)) this.found.norms.set(module, node)
    const layout: Layout = { kind: 'plain', tensor, type, order: 'out-in' }
    const storage = type.toUpperCase()
    this.add({ module, part, rows: length, columns: 1, isVector: true, layout, shift, storage, node })
  }

  private blocks(node: OnnxNode, input: number, operand: BlockOperand | string): void {
    const name = node.inputs[input]
    if (!name || !this.model.tensors.has(name)) return
    const module = moduleOf(node.name) ?? moduleOf(name)
    const isUsable = module !== undefined && !isNorm(module)
    if (typeof operand === 'string' || !isUsable) {
      const why = typeof operand === 'string' ? operand : 'a name that tells no module'
      this.refuse(name, `${node.operator} with ${why}`, node)
      return
    }
    const { rows, layout } = operand
    const { bits, columns, blockSize } = layout.form
    const storage = `int${bits}, blocks of ${blockSize}`
    this.add({ module, part: 'weight', rows, columns, isVector: false, layout, shift: 0, storage, node })
    if (node.operator === 'MatMulNBits' && node.inputs[5]) this.vector(node, node.inputs[5], 'bias')
  }

  private add(slot: Slot): void {
    const key = `${slot.module}.${slot.part} ${tensorsOf(slot.layout)[0].name}`
    if (this.seen.has(key)) return
    this.seen.add(key)
    this.found.slots.push(slot)
  }
}

export const tensorsOf = (layout: Layout): OnnxTensor[] =>
  layout.kind === 'plain'
    ? [layout.tensor]
    : [layout.codes, layout.scales, ...(layout.zeros ? [layout.zeros] : [])]

function looksLikeWeight({ name, dims, type }: OnnxTensor): boolean {
  const count = dims.reduce((a, b) => a * b, 1)
  return (
    count >= LEAST_WEIGHT && !NO_WEIGHT.test(name) && type !== 'int64' && type !== 'int32' && type !== 'bool'
  )
}

/** All weights that the graph's nodes use, and what looks like one and could not be read. */
export function findSlots(model: OnnxModel, options: FindOptions): FoundSlots {
  return new Search(model, options).run()
}
