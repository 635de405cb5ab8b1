// Loads onnxruntime-web in a browser page or worker. Import this file only where the second opinion or a classifier
// is asked for: the 27 MB wasm is fetched when the first session opens.

import moduleUrl from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.mjs?url'
import wasmUrl from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url'
import { EngineError } from '../../errors.ts'

/** The WebGPU build of onnxruntime-web, its files served by us; `file-missing` when they cannot be fetched. */
export async function loadOrtBrowser(): Promise<typeof import('onnxruntime-web/webgpu')> {
  try {
    const ort = await import('onnxruntime-web/webgpu')
    // Explicit addresses: left alone, the bundled library starts its threads from the file it was bundled
    // into, which in a built worker is our own worker, and waits for it without end.
    ort.env.wasm.wasmPaths = {
      mjs: new URL(moduleUrl, self.location.href).href,
      wasm: new URL(wasmUrl, self.location.href).href,
    }
    // Everything heavy runs on the GPU; threads would only add start-up time and need cross-origin isolation.
    ort.env.wasm.numThreads = 1
    ort.env.logLevel = 'error'
    return ort
  } catch (error) {
    throw new EngineError('file-missing', `onnxruntime-web did not load: ${String(error)}`)
  }
}
