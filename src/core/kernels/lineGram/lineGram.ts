// Inner products of K stacked rows line by line, where a line is a matrix row, a matrix column or any evenly spaced
// part of a tensor; and combinations of the rows with coefficients of their own for every line.

import type { HostArrays, KernelCase, KernelSpec, Params } from '../spec.ts'
import combineLinesWgsl from './combineLines.wgsl?raw'
import lineGramWgsl from './lineGram.wgsl?raw'

const gramCase = (
  name: string,
  p: { rows: number; lines: number; lineStep: number; step: number; length: number; count: number },
): KernelCase => ({
  name: `${name}: ${p.rows} rows, ${p.lines} lines of ${p.length}`,
  params: { ...p, stride: p.count + 3 },
  sizes: { rows_: p.rows * (p.count + 3), partial: p.lines * p.rows ** 2 },
})

/** partial (lines, rows, rows), upper blocks of four, of rows_ (rows, stride). */
export const lineGram: KernelSpec = {
  name: 'lineGram',
  wgsl: lineGramWgsl,
  params: [
    ['rows', 'u32'],
    ['stride', 'u32'],
    ['count', 'u32'],
    ['lines', 'u32'],
    ['lineStep', 'u32'],
    ['step', 'u32'],
    ['length', 'u32'],
  ],
  bindings: [
    { name: 'rows_', kind: 'f32', access: 'read' },
    { name: 'partial', kind: 'f32', access: 'read_write' },
  ],
  threads: (p) => [p.lines * Math.ceil(p.rows / 4) ** 2, 1, 1],
  workgroupSize: [64, 1, 1],
  reference: (p: Params, { rows_, partial }: HostArrays) => {
    const out = Float64Array.from(partial)
    for (let line = 0; line < p.lines; line++)
      for (let i = 0; i < p.rows; i++)
        for (let j = 0; j < p.rows; j++) {
          if (Math.floor(j / 4) < Math.floor(i / 4)) continue
          let sum = 0
          for (let e = 0; e < p.length; e++) {
            const at = line * p.lineStep + e * p.step
            if (at < p.count) sum += rows_[i * p.stride + at] * rows_[j * p.stride + at]
          }
          out[(line * p.rows + i) * p.rows + j] = sum
        }
    return { partial: out }
  },
  tolerance: { absolute: 2e-6, relative: 2e-6, why: 'float32 sums of a line, 64 at a time' },
  cases: [
    gramCase('rows', { rows: 2, lines: 7, lineStep: 13, step: 1, length: 13, count: 91 }),
    gramCase('columns', { rows: 5, lines: 9, lineStep: 1, step: 9, length: 150, count: 1350 }),
    gramCase('interleaved, last line short', {
      rows: 3,
      lines: 70,
      lineStep: 1,
      step: 70,
      length: 5,
      count: 333,
    }),
    gramCase('many', { rows: 9, lines: 3, lineStep: 200, step: 1, length: 200, count: 600 }),
    gramCase('one row', { rows: 1, lines: 1, lineStep: 1, step: 1, length: 65, count: 65 }),
  ],
  noGradient: 'sums of products; merges are not differentiated',
}

const combineCase = (
  name: string,
  p: {
    count: number
    rows: number
    baseShare: number
    firstLine: number
    divisor: number
    modulus: number
  },
): KernelCase => ({
  name: `${name}, ${p.rows} rows of ${p.count}, base share ${p.baseShare}`,
  params: { ...p, stride: p.count + 4 },
  sizes: {
    base: p.count,
    rows_: p.rows * (p.count + 4),
    coefficients: (p.firstLine + p.modulus) * p.rows,
    out: p.count,
  },
})

/** stored out (count) = baseShare·base + Σ_k coefficients[line, k]·rows_[k]; coefficients (lines, rows). */
export const combineLines: KernelSpec = {
  name: 'combineLines',
  wgsl: combineLinesWgsl,
  params: [
    ['count', 'u32'],
    ['rows', 'u32'],
    ['stride', 'u32'],
    ['baseShare', 'f32'],
    ['firstLine', 'u32'],
    ['divisor', 'u32'],
    ['modulus', 'u32'],
  ],
  bindings: [
    { name: 'base', kind: 'weight', access: 'read' },
    { name: 'rows_', kind: 'vec', access: 'read' },
    { name: 'coefficients', kind: 'f32', access: 'read' },
    { name: 'out', kind: 'weight', access: 'read_write' },
  ],
  threads: (p) => [Math.ceil(p.count / 4), 1, 1],
  workgroupSize: [64, 1, 1],
  reference: (p: Params, { base, rows_, coefficients, out }: HostArrays) => ({
    out: Float64Array.from(out, (_, i) => {
      const line = p.firstLine + (Math.floor(i / p.divisor) % p.modulus)
      let sum = p.baseShare === 0 ? 0 : p.baseShare * base[i]
      for (let k = 0; k < p.rows; k++) sum += coefficients[line * p.rows + k] * rows_[k * p.stride + i]
      return sum
    }),
  }),
  tolerance: { absolute: 1e-6, relative: 2e-6, why: 'a float32 sum over rows' },
  cases: [
    combineCase('by row', { count: 92, rows: 2, baseShare: 0, firstLine: 0, divisor: 13, modulus: 8 }),
    combineCase('by row from the third', {
      count: 60,
      rows: 3,
      baseShare: 1,
      firstLine: 2,
      divisor: 5,
      modulus: 12,
    }),
    combineCase('by column', { count: 1024, rows: 1, baseShare: -0.5, firstLine: 0, divisor: 1, modulus: 9 }),
  ],
  noGradient: 'linear in the rows; merges are not differentiated',
}
