// TIES (Yadav et al., arXiv 2306.01708): trim by magnitude, elect signs, average what agrees.
// mergekit `ties`: each tensor keeps int(density · n) elements, the election is that of w_k τ̂_k, zero counts as +.
// Paper: int(density · N) elements of the whole model, the election is that of τ̂_k, and a coordinate without a
// majority takes the sign that most coordinates have.

import { countSigns } from '../../../kernels/elect/elect.ts'
import type { TensorTask } from '../../method.ts'
import { defineMethod, type ModelTask, type ParameterValues, type PlannedTensor } from '../../method.ts'
import { numberOf } from '../../parameters.ts'
import {
  electedScale,
  encodeTaskVectorSum,
  encodeVoteTotals,
  mergeTaskVectors,
  type TaskVectorSum,
  weightsOf,
} from '../../taskVectors.ts'
import { measureSparse, type SparseMeasure, sparseScratch } from '../../taskVectorsDrop.ts'
import { chunksOf, encodeWindows, type Window } from '../../taskVectorsKeep.ts'
import { encodeModelTrim, type ModelTrim, surveyTrim } from '../../taskVectorsModel.ts'
import { countOf } from '../../tiles.ts'
import { declaration } from './declaration.ts'

interface Survey {
  trim: ModelTrim
  /** sign of coordinates without a majority */
  zeroSign: 1 | -1
}

const isPaper = ({ parameters }: PlannedTensor) => parameters.variant === 'paper'
const densityOf = (values: ParameterValues) => numberOf(values, 'density')

/** The largest int(density · n) of a tensor, of each task vector. */
function windowsOf(tensor: PlannedTensor): Window[] {
  const count = countOf(tensor)
  return tensor.modelParameters.map((values) => {
    const density = densityOf(values)
    return density >= 1 ? undefined : { top: 0, bottom: count - Math.floor(density * count) }
  })
}

const rescaleOf = ({ parameters }: PlannedTensor) => (parameters.rescale === true ? 'norm' : 'none')

function paperSum(task: TensorTask, trim: ModelTrim, zeroSign: 1 | -1): TaskVectorSum {
  return {
    keep: encodeModelTrim(task, trim),
    choice: { by: 'election', votes: task.models.map(() => 1), zeroSign },
    coefficients: weightsOf(task),
    scale: electedScale(task),
  }
}

/** Sign that most elected coordinates have. */
async function surveySigns(model: ModelTask, trim: ModelTrim): Promise<1 | -1> {
  let balance = 0
  await model.forEach(async (task) => {
    if (!isPaper(task)) return
    const { gpu, padded: count } = task
    const { chunkSize, chunks } = chunksOf(count)
    const partial = task.scratch(chunks * 8)
    const x = encodeVoteTotals(task, paperSum(task, trim, 1))
    gpu.run(countSigns, { count, chunkSize, chunks }, { x, partial })
    const counts = await gpu.readWords(partial, chunks * 2)
    counts.forEach((value, i) => {
      balance += i % 2 === 0 ? value : -value
    })
  })
  return balance >= 0 ? 1 : -1
}

export const method = defineMethod<Survey | undefined, SparseMeasure | undefined>({
  declaration,
  tiling: { unit: () => 1, scratch: sparseScratch },
  async survey(model) {
    const tensors = model.tensors.filter(isPaper)
    if (tensors.length === 0) return undefined
    const trim = await surveyTrim(model, tensors, ({ modelParameters }, k) => densityOf(modelParameters[k]))
    return { trim, zeroSign: await surveySigns(model, trim) }
  },
  async measure(tensor) {
    if (isPaper(tensor)) return undefined
    return measureSparse(tensor, {
      windows: windowsOf,
      keep: (task, found) => encodeWindows(task, windowsOf(task), found?.cuts),
      rescale: rescaleOf,
    })
  },
  async merge(task, survey, measured) {
    if (survey && isPaper(task)) {
      encodeTaskVectorSum(task, paperSum(task, survey.trim, survey.zeroSign))
      return
    }
    await mergeTaskVectors(task, {
      keep: encodeWindows(task, windowsOf(task), measured?.cuts),
      elects: true,
      rescale: measured?.factors ?? rescaleOf(task),
    })
  },
})
