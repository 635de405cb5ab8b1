// The half of the generation bench that runs in Chromium: the same measurement by the clock on the wall.

import { loadOrtBrowser } from '../src/core/evaluate/ort/ortBrowser.ts'
import { Gpu } from '../src/core/gpu/device.ts'
import { type GenerationFigures, measureGeneration } from './generation.ts'

async function measureInPage(): Promise<GenerationFigures & { adapter: string }> {
  const gpu = await Gpu.open(navigator.gpu)
  const figures = await measureGeneration(
    gpu,
    await loadOrtBrowser(),
    () => performance.now(),
    console.log,
    1,
  )
  const { adapter } = gpu.summary
  gpu.close()
  return { adapter, ...figures }
}

Object.assign(globalThis, { measureInPage })
