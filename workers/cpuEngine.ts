// The engine behind the worker's interface where there is no WebGPU. What it cannot do it refuses by name, so that a
// kind of work added to the interface is refused here until somebody gives it a part of its own.

import { EngineError } from '../src/core/errors.ts'
import type { EngineApi } from './api.ts'
import { CpuContext } from './cpu/context.ts'
import { cpuMeasuringWing } from './cpu/measuring.ts'
import { cpuMergingWing } from './cpu/merging.ts'
import { cpuPlayWing } from './cpu/play.ts'

/** Why some kinds of work need a device, for people. */
const REASONS: Partial<Record<keyof EngineApi, string>> = {
  openFiles: 'Models of your own need WebGPU; without it the studio has the built-in ones',
  openUrl: 'Models from addresses need WebGPU; without it the studio has the built-in ones',
  openSource: 'Models from hubs and folders need WebGPU; without it the studio has the built-in ones',
  selfTest: 'The self-test is of WebGPU kernels; without WebGPU none of them runs',
  secondOpinion:
    'Without WebGPU onnxruntime-web computes everything: there is no other opinion to compare with',
  searchWeights: 'The search for weights trains on the models’ own words, which needs WebGPU',
  antidote: 'The antidote is a gradient at the merge, which needs WebGPU',
  openTraining: 'Training needs gradients, which need WebGPU',
  tokenProbabilities: 'Probabilities of tokens are taken on the device, which needs WebGPU',
  moduleCoordinates: 'Coordinates by module need the gradients themselves, and so WebGPU',
  measureModules: 'Coordinates by module need the gradients themselves, and so WebGPU',
}

export function createCpuEngine(): EngineApi {
  const context = new CpuContext()
  const offered: Partial<EngineApi> = {
    open: (onEvent) => context.open(onEvent),
    cancel: (jobId) => context.queue.cancel(jobId),
    ...cpuMergingWing(context),
    ...cpuMeasuringWing(context),
    ...cpuPlayWing(context),
  }
  return new Proxy(offered, {
    get(own, name: keyof EngineApi) {
      if (own[name] || typeof name !== 'string') return own[name]
      return () => Promise.reject(new EngineError('gpu-unavailable', REASONS[name] ?? `${name} needs WebGPU`))
    },
  }) as EngineApi
}
