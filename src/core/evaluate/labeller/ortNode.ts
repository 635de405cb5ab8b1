// Loads onnxruntime-web's wasm build in Node, for tests and the command line. In a browser the build that the second
// opinion uses (ort/ortBrowser.ts) does the same.

import type { ClassifierModule } from './classifierGraph.ts'

export async function loadClassifierNode(): Promise<ClassifierModule> {
  const ort = await import('onnxruntime-web')
  ort.env.wasm.numThreads = 1
  ort.env.logLevel = 'error'
  return ort
}
