// The formulas of the page, each with the words that a screen reader or a search finds.

import {
  fraction,
  lowered,
  type MathNode,
  normG,
  raised,
  root,
  row,
  type SymbolValues,
  scripts,
  sum,
  symbol,
  symbolsOf,
  transposed,
  word,
} from './math.ts'
import type { SymbolId, SymbolSource } from './symbols.ts'

export interface FormulaEntry {
  title: string
  tree: MathNode
  /** left and right of the equals sign written with values, where the whole line becomes a computation */
  worked?: MathNode
  /** symbols that the worked line needs values of; all of its own where it does not say */
  needs?: readonly SymbolId[]
  source: SymbolSource
  origin: string
}

const difference = row(symbol('delta'), '−', symbol('DeltaK'))
const inverse = (of: MathNode): MathNode => raised(of, '−1')

export const formulas = {
  objective: {
    title: 'What AlignMerge makes small',
    tree: row(
      symbol('L'),
      '=',
      symbol('Lgeo'),
      '+',
      symbol('lambdaAlign'),
      symbol('Lalign'),
      '+',
      symbol('lambdaBud'),
      symbol('Lbud'),
    ),
    worked: row(
      'L',
      '=',
      symbol('Lgeo'),
      '+',
      symbol('lambdaAlign'),
      '×',
      symbol('Lalign'),
      '+',
      symbol('lambdaBud'),
      '×',
      symbol('Lbud'),
      '=',
      symbol('L'),
    ),
    source: 'paper',
    origin: 'AlignMerge, arXiv 2512.16245',
  },
  shieldedObjective: {
    title: 'What AlignMerge makes small, without a budget',
    tree: row(symbol('L'), '=', symbol('Lgeo'), '+', symbol('lambdaAlign'), symbol('Lalign')),
    worked: row(
      'L',
      '=',
      symbol('Lgeo'),
      '+',
      symbol('lambdaAlign'),
      '×',
      symbol('Lalign'),
      '=',
      symbol('L'),
    ),
    source: 'paper',
    origin: 'AlignMerge, arXiv 2512.16245; form of L_align ours',
  },
  geometric: {
    title: 'Distance to the experts',
    tree: row(symbol('Lgeo'), '=', sum('k', symbol('lambdaK'), normG(difference, true))),
    source: 'paper',
    origin: 'AlignMerge, arXiv 2512.16245',
  },
  alignment: {
    title: 'Alignment shield',
    tree: row(
      symbol('Lalign'),
      '=',
      normG(row(symbol('PA'), symbol('delta')), true),
      '=',
      sum(
        'i',
        symbol('wi'),
        raised(row('(', transposed(symbol('ui')), symbol('G'), symbol('delta'), ')'), '2'),
      ),
    ),
    source: 'ours',
    origin: 'ours; the paper’s own form is not public. The first equality holds for w_i = 1',
  },
  budget: {
    title: 'Alignment budget',
    tree: row(
      symbol('Lbud'),
      '=',
      sum('r', scripts(row('[', symbol('tau'), '−', symbol('ar'), '(', symbol('delta'), ')', ']'), '+', '2')),
    ),
    source: 'ours',
    origin: 'ours; the paper’s own form is not public',
  },
  displacement: {
    title: 'Displacement from the anchor',
    tree: row(symbol('delta'), '=', symbol('theta'), '−', symbol('thetaIT')),
    source: 'paper',
    origin: 'AlignMerge, arXiv 2512.16245',
  },
  barycentre: {
    title: 'The plain average',
    tree: row(symbol('deltaBar'), '=', sum('k', symbol('lambdaK'), symbol('DeltaK'))),
    source: 'paper',
    origin: 'minimum of L_geo; the metric cancels',
  },
  closedForm: {
    title: 'The merge in closed form',
    tree: row(
      symbol('deltaStar'),
      '=',
      symbol('deltaBar'),
      '−',
      sum(
        'i',
        fraction(
          row(symbol('lambdaAlign'), symbol('wi')),
          row('1', '+', symbol('lambdaAlign'), symbol('wi')),
        ),
        symbol('ci'),
        symbol('ui'),
      ),
    ),
    source: 'ours',
    origin: 'ours; exact minimum of L_geo + λ_align L_align',
  },
  shareRemoved: {
    title: 'What the shield takes away',
    tree: row(symbol('share'), '=', fraction(symbol('lambdaAlign'), row('1', '+', symbol('lambdaAlign')))),
    worked: row(
      's',
      '=',
      fraction(symbol('lambdaAlign'), row('1', '+', symbol('lambdaAlign'))),
      '=',
      symbol('share'),
    ),
    source: 'ours',
    origin: 'ours; at w_i = 1',
  },
  coordinate: {
    title: 'Alignment coordinate',
    tree: row(symbol('ci'), '=', transposed(symbol('ui')), symbol('G'), symbol('deltaBar')),
    source: 'ours',
    origin: 'ours',
  },
  projector: {
    title: 'Projector on the alignment directions',
    tree: row(
      symbol('PA'),
      '=',
      symbol('U'),
      transposed(symbol('U')),
      symbol('G'),
      word('\u2003with\u2003'),
      transposed(symbol('U')),
      symbol('G'),
      symbol('U'),
      '=',
      '1',
    ),
    source: 'ours',
    origin: 'ours: orthogonal in the metric, so that the shield decouples',
  },
  drift: {
    title: 'Drift',
    tree: row(
      symbol('D'),
      '=',
      normG(row(symbol('PA'), symbol('delta')), false),
      '=',
      root(sum('i', raised(row('(', transposed(symbol('ui')), symbol('G'), symbol('delta'), ')'), '2'))),
    ),
    worked: row(normG(row(symbol('PA'), symbol('delta')), false), '=', symbol('D')),
    needs: ['D'],
    source: 'ours',
    origin: 'ours; the paper’s definition is not public',
  },
  aqi: {
    title: 'Alignment quality index',
    tree: row(
      symbol('AQI'),
      '=',
      fraction(row('100', symbol('S')), row(symbol('S'), '+', symbol('Sanchor'))),
    ),
    worked: row(
      word('AQI'),
      '=',
      fraction(row('100', '×', symbol('S')), row(symbol('S'), '+', symbol('Sanchor'))),
      '=',
      symbol('AQI'),
    ),
    source: 'ours',
    origin: 'after arXiv 2506.13901; this normalisation is ours',
  },
  separation: {
    title: 'Separation',
    tree: row(symbol('S'), '=', fraction(raised(symbol('d'), '2'), row(symbol('W'), '/', symbol('n')))),
    source: 'standard',
    origin: '1 over the Xie-Beni index of two hard clusters',
  },
  metric: {
    title: 'The metric',
    tree: row(symbol('g'), '=', symbol('f'), '+', symbol('rho'), word('\u2009mean\u2009'), symbol('f')),
    source: 'ours',
    origin: 'diagonal Fisher information of the anchor; the damping is ours',
  },
  fisher: {
    title: 'Fisher information',
    tree: row(
      symbol('F'),
      '=',
      lowered(word('E'), symbol('y')),
      '[',
      '∇',
      word('\u2009log\u2009'),
      'p',
      '(',
      symbol('y'),
      ')',
      transposed(row('∇', word('\u2009log\u2009'), 'p', '(', symbol('y'), ')')),
      ']',
    ),
    source: 'standard',
    origin: 'Fisher 1922',
  },
  logisticFisher: {
    title: 'Fisher information of the toy',
    tree: row(
      symbol('F'),
      '(',
      symbol('theta'),
      ')',
      '=',
      sum('i', symbol('p'), '(', '1', '−', symbol('p'), ')', symbol('x'), transposed(symbol('x'))),
    ),
    source: 'standard',
    origin: 'exact for logistic regression',
  },
  fisherMean: {
    title: 'Fisher average',
    tree: row(
      symbol('theta'),
      '=',
      inverse(row('(', sum('k', symbol('lambdaK'), symbol('Fk')), ')')),
      sum('k', symbol('lambdaK'), symbol('Fk'), symbol('thetaK')),
    ),
    source: 'standard',
    origin: 'Matena & Raffel, arXiv 2111.09832',
  },
} as const satisfies Record<string, FormulaEntry>

export type FormulaId = keyof typeof formulas

/** The line of a formula with values in place, once what it needs is known. */
export function workedLine(id: FormulaId, values: SymbolValues): MathNode | undefined {
  const { worked, needs } = formulaEntry(id)
  if (!worked) return undefined
  return (needs ?? symbolsOf(worked)).every((one) => values[one] !== undefined) ? worked : undefined
}

/** The entry of a formula, with what only some have. */
export const formulaEntry = (id: FormulaId): FormulaEntry => formulas[id]
