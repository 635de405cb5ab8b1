// Kernels of the merge methods on task vectors: select, sparsify, elect.

import { combineTaskVectors, countPatterns, countSigns } from './elect/elect.ts'
import {
  countTies,
  digitHistogram,
  foldHistogram,
  pickDigit,
  pickTie,
} from './magnitudeSelect/magnitudeSelect.ts'
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
]
