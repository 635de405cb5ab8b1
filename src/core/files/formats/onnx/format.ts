// ONNX: model.onnx with its external data, as onnxruntime-genai, Optimum and transformers.js write it.

import type { FileFormat } from '../format.ts'
import { storedWeightOf } from './assemble.ts'
import { findOnnxFile, openOnnx } from './openOnnx.ts'

export const format: FileFormat = {
  id: 'onnx',
  label: 'ONNX',
  // After safetensors: repositories often hold both, and those are the weights as they were trained.
  rank: 60,
  async accepts(folder, _rawConfig, signal) {
    return (await findOnnxFile(folder, signal)) !== undefined
  },
  async open(folder, rawConfig, signal) {
    const { model, data, weights, found, locate, notes } = await openOnnx(folder, rawConfig, signal)
    const tensors = [...model.tensors.values()].filter(({ place }) => place)
    const inFile = (location: string | undefined) =>
      tensors.filter(({ place }) => place!.location === location).length
    return {
      files: [
        { source: model.source, tensorCount: inFile(undefined) },
        ...data.map(({ source, location }) => ({ source, tensorCount: inFile(location) })),
      ],
      weights: new Map([...weights].map(([name, weight]) => [name, storedWeightOf(weight, locate)])),
      unread: found.refused,
      notes,
    }
  },
}
