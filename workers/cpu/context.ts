// What the parts of the engine without WebGPU share; the counterpart of engine/context.ts.

import { EngineError } from '../../src/core/errors.ts'
import type { ForwardModel } from '../../src/core/evaluate/forwardModel.ts'
import { urlFolder } from '../../src/core/files/folder.ts'
import { CpuSession } from '../../src/core/session/cpu/cpuSession.ts'
import { ForwardMeasures } from '../../src/core/session/measures.ts'
import type { JobOptions, Setup } from '../../src/core/session/session.ts'
import { setupOf } from '../../src/share/setup.ts'
import type { EngineInfo, Experiment, Subject } from '../api.ts'
import { fetchProbes } from '../builtIn.ts'
import { type EventListener, SharedContext } from '../sharedContext.ts'

export interface CpuLive {
  session: CpuSession
  measures: ForwardMeasures<ForwardModel>
}

/** What computes here, for people. */
export const CPU_BACKEND = 'onnxruntime-web, CPU'

export class CpuContext extends SharedContext<ForwardModel, CpuLive> {
  async open(onEvent: EventListener): Promise<EngineInfo> {
    this.startAnew(onEvent)
    await this.live?.session.dispose()
    const load = async () => (await import('../../src/core/evaluate/ort/ortWasm.ts')).loadOrtWasm()
    const shelf = urlFolder(new URL('../geometry/', self.location.href).href)
    const session = new CpuSession(load, shelf, await fetchProbes(), this.userProbes)
    this.live = { session, measures: new ForwardMeasures<ForwardModel>(session) }
    return {
      adapter: 'CPU (no WebGPU)',
      vendor: 'onnxruntime-web',
      architecture: 'wasm',
      isFallback: true,
      isCpu: true,
      hasF16: false,
      maxBindingBytes: 0,
    }
  }

  /** The setup of an experiment's merge at a λ_align; `gpu-unavailable` where it has an antidote. */
  mergeSetup(experiment: Experiment, lambdaAlign: number): Setup {
    if (experiment.antidote > 0)
      throw new EngineError('gpu-unavailable', 'the antidote is a gradient at the merge, which needs WebGPU')
    return { ...setupOf(experiment), lambdaAlign }
  }

  async subjectModel(experiment: Experiment, subject: Subject, options: JobOptions): Promise<ForwardModel> {
    const { session } = this.current()
    if (subject.kind === 'model') return session.get(subject.id).model
    return session.mergedModel(this.mergeSetup(experiment, subject.lambdaAlign), options)
  }
}
