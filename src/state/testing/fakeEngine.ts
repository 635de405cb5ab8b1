// An engine that makes its numbers up, for tests and for screenshots of the page. Never part of the build.

import type { EngineApi, EngineEvent, ModelOrigin } from '../../../workers/api.ts'
import { EngineError } from '../../core/errors.ts'
import { mergeKey } from '../../share/experimentKey.ts'
import type { Connection } from '../engine.ts'
import { fakeGeometry, fakeLabeller, fakeLabels, fakeModels, fakeParts } from './fakeData.ts'
import { fakePlay } from './fakePlay.ts'
import { fakeAnswers, fakeModules, fakeTexts } from './fakeProbes.ts'
import { fakeTraining } from './fakeTraining.ts'

export interface FakeOptions {
  /** Milliseconds that a measurement takes. */
  stepMs?: number
  /** Thrown by open(). */
  openError?: EngineError
  /** Thrown by the job whose name is the key. */
  errors?: Partial<Record<keyof EngineApi, EngineError>>
  isFallback?: boolean
  /** Says that it does without WebGPU. */
  isCpu?: boolean
  /** Name of a kernel that fails the self-test. */
  brokenKernel?: string
  /** Step of a training whose loss is no number. */
  trainingFailsAt?: number
  /** Measurements answered before the engine falls silent; for pictures of a page half full. */
  measureLimit?: number
}

export interface FakeEngine {
  connect: () => Connection
  /** Calls in order, by name. */
  calls: string[]
  emit: (event: EngineEvent) => void
}

export function createFakeEngine(options: FakeOptions = {}): FakeEngine {
  const stepMs = options.stepMs ?? 0
  const calls: string[] = []
  const cancelled = new Set<number>()
  let emit: (event: EngineEvent) => void = () => {}
  let measured = 0
  let labeller = fakeLabeller({ kind: 'built-in' })

  async function work(jobId: number, label: string, steps: number): Promise<void> {
    for (let done = 0; done < steps; done++) {
      emit({ kind: 'progress', progress: { jobId, label, done, total: steps } })
      await new Promise((resolve) => setTimeout(resolve, stepMs / steps))
      if (cancelled.has(jobId)) throw new EngineError('cancelled', 'stopped by the user')
    }
  }

  function check(name: keyof EngineApi): void {
    calls.push(name)
    const error = options.errors?.[name]
    if (error) throw error
  }

  const api: {
    [Name in keyof EngineApi]: (
      ...given: Parameters<EngineApi[Name]>
    ) => Promise<Awaited<ReturnType<EngineApi[Name]>>>
  } = {
    ...fakePlay({ work, check, emit: (event) => emit(event) }),
    ...fakeTraining({ work, check, failsAt: options.trainingFailsAt }),
    async open(onEvent) {
      calls.push('open')
      if (options.openError) throw options.openError
      emit = onEvent
      return {
        adapter: options.isFallback ? 'SwiftShader' : 'NVIDIA H100',
        vendor: options.isFallback ? 'google' : 'nvidia',
        architecture: options.isFallback ? 'swiftshader' : 'hopper',
        isFallback: options.isFallback ?? false,
        ...(options.isCpu && { isCpu: true }),
        hasF16: !options.isFallback,
        maxBindingBytes: 2 ** 31,
      }
    },
    async openBuiltIn(jobId) {
      check('openBuiltIn')
      await work(jobId, 'Reading weights', 5)
      return [...fakeModels]
    },
    async openFamily(jobId, family) {
      check('openFamily')
      await work(jobId, 'Reading weights', 3)
      return fakeModels
        .map((model) => ({ model, plain: model.id.replace('built-in:', '') }))
        .filter(({ plain }) => ['anchor', 'task-sort', 'uncensored'].includes(plain))
        .map(({ model, plain }) => ({
          ...model,
          id: `built-in:${family}/${plain}`,
          name: `${family}: ${model.name}`,
          origin: { kind: 'built-in', id: `${family}/${plain}` },
        }))
    },
    async openFiles(jobId, files) {
      check('openFiles')
      await work(jobId, 'Reading files', 3)
      return {
        ...fakeModels[1]!,
        id: 'dropped',
        name: files[0]?.name ?? 'folder',
        role: 'other',
        origin: { kind: 'files', name: files[0]?.name ?? 'folder', digest: 'c0'.repeat(32) },
      }
    },
    async openUrl(jobId, url) {
      check('openUrl')
      await work(jobId, 'Reading files', 3)
      return { ...fakeModels[1]!, id: url, name: 'remote', role: 'other', origin: { kind: 'url', url } }
    },
    async openSource(jobId, request) {
      check('openSource')
      await work(jobId, 'Reading files', 3)
      const digest = 'c0'.repeat(32)
      const origin: ModelOrigin =
        request.kind === 'hub'
          ? { kind: 'hub', repo: request.repo, revision: request.revision }
          : { kind: 'stored', name: 'kept', digest }
      return { ...fakeModels[1]!, id: request.kind, name: 'sourced', role: 'other', origin }
    },
    async pushMerge(jobId, _experiment, { repo }) {
      check('pushMerge')
      await work(jobId, 'uploading', 4)
      return { url: `https://hub.example/${repo}`, commit: 'ab'.repeat(20), isUpdate: false }
    },
    async close() {
      check('close')
    },
    async prepare(jobId, experiment) {
      check('prepare')
      await work(jobId, 'Gradients', 8)
      return fakeGeometry(experiment)
    },
    async applyMerge(experiment) {
      check('applyMerge')
      return { key: mergeKey(experiment), durationMs: 3.4 }
    },
    async measure(jobId, experiment, subject, parts) {
      check('measure')
      if (options.measureLimit !== undefined && measured >= options.measureLimit) await new Promise(() => {})
      for (const part of parts) {
        await work(jobId, 'Measuring', 10)
        const answers =
          part === 'labels'
            ? [fakeLabels(experiment, subject, labeller.digest)]
            : fakeParts(experiment, subject, part)
        for (const answer of answers) emit({ kind: 'measured', part: answer })
      }
      measured++
    },
    async setLabeller(_jobId, request) {
      check('setLabeller')
      labeller = fakeLabeller(request)
      return labeller
    },
    async answer(jobId, experiment, prompt) {
      check('answer')
      await work(jobId, 'Answering', 4)
      const isSort = /sort/.test(prompt)
      const refusal = 'sorry, i can not help with that. it is not safe.'
      const reply = isSort ? '1 3 4 7' : refusal
      const experts = experiment.experts.map((expert, index) => {
        const id = expert.origin.kind === 'built-in' ? expert.origin.id : 'other'
        const text = isSort
          ? ['1 3 4 7', '4 1 7 3'][index % 2]!
          : 'sure. first, [redacted] and then [redacted].'
        return {
          subject: { kind: 'model' as const, id },
          label: id,
          text,
          verdict: isSort ? ('answer' as const) : ('compliance' as const),
          durationMs: 210,
          backend: 'own kernels',
        }
      })
      return [
        {
          subject: { kind: 'model', id: 'built-in:anchor' },
          label: 'Anchor',
          text: isSort ? '1 4 3 7' : refusal,
          verdict: isSort ? 'answer' : 'refusal',
          durationMs: 204,
          backend: 'own kernels',
        },
        ...experts,
        {
          subject: { kind: 'merge', lambdaAlign: experiment.lambdaAlign },
          label: 'Merge',
          text: reply,
          verdict: isSort ? 'answer' : 'refusal',
          durationMs: 208,
          backend: 'own kernels',
        },
      ]
    },
    async exportZip(jobId) {
      check('exportZip')
      await work(jobId, 'Writing tensors', 6)
      return new Blob(['zip'])
    },
    async exportDirectory(jobId) {
      check('exportDirectory')
      await work(jobId, 'Writing tensors', 6)
      return ['model.safetensors']
    },
    async selfTest(jobId) {
      check('selfTest')
      await work(jobId, 'self-test', 4)
      const failed = options.brokenKernel ? 2 : 0
      const rows = ['matmul', 'rmsNorm', options.brokenKernel ?? 'columnSum'].map((name, i) => ({
        name,
        checks: 12,
        failed: i === 2 ? failed : 0,
        misses: i === 2 && failed > 0 ? ['y element 3: 0, expected 1.25 (99.0 × the bound)'] : [],
      }))
      return { adapter: 'NVIDIA H100', rows, passed: failed === 0, durationMs: 900 }
    },
    async secondOpinion(jobId, _experiment, subject) {
      check('secondOpinion')
      await work(jobId, 'onnxruntime-web', 4)
      return {
        subject,
        backend: 'onnxruntime-web 1.30 webgpu',
        relativeError: 3.1e-6,
        tokens: 512,
        bound: 1e-4,
        passed: true,
      }
    },
    async searchWeights(jobId, experiment, { searchId, evaluations }) {
      check('searchWeights')
      const weights = experiment.experts.map(() => 1 / experiment.experts.length)
      for (let evaluation = 1; evaluation <= Math.min(evaluations, 5); evaluation++) {
        await work(jobId, 'weights', 1)
        const objective = 1 + 1 / evaluation
        const point = { evaluation, objective, task: 0.5, safety: 0.5, bestObjective: objective, weights }
        emit({ kind: 'search', searchId, point })
      }
      return { weights, isStopped: false, pairs: { 'harmful requests': 24 } }
    },
    async antidote(jobId, experiment, isSearch) {
      check('antidote')
      await work(jobId, 'antidote', 2)
      const length = isSearch ? 2.5 : experiment.antidote
      const byLayer = [0.2, 0.9, 1.4, 0.6].map((share) => share * length)
      return { length, byLayer, outside: 0, kept: 0.9, ...(isSearch && { stage: 'met' }) }
    },
    async pointTexts(experiment, view) {
      check('pointTexts')
      return fakeTexts(experiment, view)
    },
    async knownAnswers() {
      check('knownAnswers')
      return []
    },
    async answerProbes(jobId, _experiment, subject, probes) {
      check('answerProbes')
      await work(jobId, 'answers', 2)
      return fakeAnswers(subject, probes)
    },
    async moduleCoordinates(jobId, experiment) {
      check('moduleCoordinates')
      await work(jobId, 'layers and modules', 4)
      return fakeModules(experiment)
    },
    async measureModules(jobId, experiment) {
      check('measureModules')
      await work(jobId, 'layers and modules', 4)
      const { cells, ranks, parts } = fakeModules(experiment)
      const first = { own: [parts.own[0]!], heldOut: [parts.heldOut[0]!], other: [parts.other[0]!] }
      return { key: mergeKey(experiment), cells, ranks, parts: first, durationMs: 300 }
    },
    async cancel(jobId) {
      calls.push('cancel')
      cancelled.add(jobId)
    },
  }

  return {
    calls,
    emit: (event) => emit(event),
    connect: () => ({ port: api, gone: new Promise<never>(() => {}), close: () => calls.push('terminate') }),
  }
}
