// Loads onnxruntime-web's plain wasm build in a page or worker that has no WebGPU: half the size of the build that has
// it, and nothing in it waits for a device. Import this file only there; the 14 MB wasm are fetched when the first
// session opens.

import moduleUrl from 'onnxruntime-web/ort-wasm-simd-threaded.mjs?url'
import wasmUrl from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url'
import { EngineError } from '../../errors.ts'
import type { OrtModule } from './ortSession.ts'

/** More only wait for one another on models this small; docs/no-webgpu.md has the figures. */
const MOST_THREADS = 1

/** `file-missing` when its files cannot be fetched. */
export async function loadOrtWasm(): Promise<OrtModule> {
  try {
    const ort = await import('onnxruntime-web/wasm')
    // Explicit addresses, as in ortBrowser.ts: in a built worker the bundled library would look for its threads' file
    // in our own worker.
    ort.env.wasm.wasmPaths = {
      mjs: new URL(moduleUrl, self.location.href).href,
      wasm: new URL(wasmUrl, self.location.href).href,
    }
    ort.env.wasm.numThreads = self.crossOriginIsolated
      ? Math.min(MOST_THREADS, navigator.hardwareConcurrency)
      : 1
    ort.env.logLevel = 'error'
    return ort as unknown as OrtModule
  } catch (error) {
    throw new EngineError('file-missing', `onnxruntime-web did not load: ${String(error)}`)
  }
}
