// Every kernel of the engine. The harness tests what is listed here and fails on a folder that is not.

import { adamW } from './adamW/adamW.ts'
import { addBias } from './addBias/addBias.ts'
import {
  attentionMix,
  attentionMixBackward,
  attentionWeights,
  attentionWeightsBackward,
} from './attention/attention.ts'
import { blendModels, sumModels } from './blendModels/blendModels.ts'
import { chooseRows } from './chooseRows/chooseRows.ts'
import { columnSum } from './columnSum/columnSum.ts'
import { countNonFinite } from './countNonFinite/countNonFinite.ts'
import { crossEntropy } from './crossEntropy/crossEntropy.ts'
import { dequantize } from './dequantize/dequantize.ts'
import {
  absoluteAccumulate,
  combine,
  damp,
  narrow,
  softCap,
  squareAccumulate,
  weighByMagnitude,
  widen,
} from './elementwise/elementwise.ts'
import { embedding, embeddingBackward } from './embedding/embedding.ts'
import { gatedUnit, gatedUnitBackward } from './gatedUnit/gatedUnit.ts'
import { combineLines, lineGram } from './lineGram/lineGram.ts'
import { lowRankUpdate } from './lowRankUpdate/lowRankUpdate.ts'
import { matmul, matmulBackwardInput, matmulBackwardWeight } from './matmul/matmul.ts'
import { combineRows, stackRow } from './mergeRows/mergeRows.ts'
import { accumulateDifference, fisherAccumulate, fisherFinish, writeMerge } from './mergeStep/mergeStep.ts'
import { objectiveGradient } from './objectiveGradient/objectiveGradient.ts'
import { pickToken } from './pickToken/pickToken.ts'
import { poolSpans, poolSpansBackward } from './poolSpans/poolSpans.ts'
import { rmsNorm, rmsNormBackward } from './rmsNorm/rmsNorm.ts'
import { rotary } from './rotary/rotary.ts'
import { gatherRows, scatterRows } from './rows/rows.ts'
import { slideMerge } from './slideMerge/slideMerge.ts'
import type { KernelSpec } from './spec.ts'
import { TASK_VECTOR_KERNELS } from './taskVectorKernels.ts'
import { weightedGram } from './weightedGram/weightedGram.ts'

export const KERNELS: readonly KernelSpec[] = [
  embedding,
  embeddingBackward,
  rmsNorm,
  rmsNormBackward,
  matmul,
  matmulBackwardInput,
  matmulBackwardWeight,
  addBias,
  columnSum,
  rotary,
  attentionWeights,
  attentionWeightsBackward,
  attentionMix,
  attentionMixBackward,
  gatedUnit,
  gatedUnitBackward,
  gatherRows,
  scatterRows,
  crossEntropy,
  pickToken,
  poolSpans,
  poolSpansBackward,
  adamW,
  combine,
  squareAccumulate,
  absoluteAccumulate,
  weighByMagnitude,
  damp,
  softCap,
  widen,
  narrow,
  weightedGram,
  accumulateDifference,
  writeMerge,
  fisherAccumulate,
  fisherFinish,
  objectiveGradient,
  countNonFinite,
  sumModels,
  blendModels,
  slideMerge,
  stackRow,
  combineRows,
  chooseRows,
  lineGram,
  combineLines,
  lowRankUpdate,
  dequantize,
  ...TASK_VECTOR_KERNELS,
]
