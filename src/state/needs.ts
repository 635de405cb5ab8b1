// What needs WebGPU, and what the page says where there is none: a control that cannot work is off and says why.

import { t } from '../language/translate.ts'
import type { EngineStatus } from './slices/models.ts'
import { useStudio } from './store.ts'

/** Kinds of work that the engine without WebGPU refuses (workers/cpuEngine.ts). */
const gpuNeeds = [
  'ownModels',
  'streamedMerge',
  'training',
  'alignRounds',
  'methods',
  'antidote',
  'weightSearch',
  'geometry',
  'tokens',
  'modules',
  'secondOpinion',
  'selfTest',
] as const
export type GpuNeed = (typeof gpuNeeds)[number]

const reasonOf = (need: GpuNeed): string => {
  switch (need) {
    case 'ownModels':
      return t('Models of your own need WebGPU; without it the studio has the built-in ones.')
    case 'selfTest':
      return t('The self-test is of WebGPU kernels; without WebGPU none of them runs.')
    case 'secondOpinion':
      return t('Without WebGPU there is one engine alone, and nothing to compare it with.')
    case 'weightSearch':
      return t('The search for weights trains on the models’ own words, which needs WebGPU.')
    case 'antidote':
      return t('The antidote is a gradient at the merge, which needs WebGPU.')
    case 'alignRounds':
      return t('Rounds, budgets and controls of AlignMerge take gradients, which need WebGPU.')
    case 'methods':
      return t(
        'Fisher average, LED-Merging and RegMean take gradients or inputs of every expert, which need WebGPU.',
      )
    case 'geometry':
      return t(
        'Fisher information and alignment directions are not computed but come with the page, for its first experiment and that of the tour; with other experts, metrics, sources or seeds everything but AlignMerge’s shield and the drift is measured.',
      )
    case 'training':
      return t('Training takes gradients, which need WebGPU.')
    case 'tokens':
      return t('Probabilities of tokens need WebGPU.')
    case 'modules':
      return t('Coordinates by module need WebGPU.')
    case 'streamedMerge':
      return t('Merging files to disk runs on WebGPU.')
  }
}

/** Why this kind of work cannot be done on the engine that is open, or on none; undefined where it can. */
export const missingHere = (engine: EngineStatus, need: GpuNeed): string | undefined =>
  engine.kind === 'unsupported' || (engine.kind === 'ready' && engine.info.isCpu) ? reasonOf(need) : undefined

/** The same, for a component. */
export const useMissing = (need: GpuNeed): string | undefined =>
  useStudio((state) => missingHere(state.models.engine, need))

/** Everything that this page cannot do without WebGPU. */
export const everythingMissing = (): string[] => gpuNeeds.map(reasonOf)
