// Kernels of the elementwise merge methods: select, sparsify, elect, and those of single methods.

import { combineTaskVectors, countPatterns, countSigns } from './elect/elect.ts'
import {
  countTies,
  digitHistogram,
  foldHistogram,
  pickDigit,
  pickTie,
} from './magnitudeSelect/magnitudeSelect.ts'
import { modelSpread } from './modelSpread/modelSpread.ts'
import { nearSwap } from './nearSwap/nearSwap.ts'
import { rowDivergence, rowImportance, takeImportant } from './rowDivergence/rowDivergence.ts'
import { keepByRank, keepDraw, keepWindow, maskedNorms } from './sparsify/sparsify.ts'
import type { KernelSpec } from './spec.ts'

export const TASK_VECTOR_KERNELS: readonly KernelSpec[] = [
  digitHistogram,
  foldHistogram,
  pickDigit,
  countTies,
  pickTie,
  keepWindow,
  keepDraw,
  keepByRank,
  maskedNorms,
  combineTaskVectors,
  countSigns,
  countPatterns,
  modelSpread,
  nearSwap,
  rowDivergence,
  rowImportance,
  takeImportant,
]
