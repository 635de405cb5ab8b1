// AlignMerge's closed form without holding a model: the Fisher diagonal from a file of `fisher --stream`, rows of A in
// factored form on the disk, products and correction in tiles. One linearisation, no budget: rounds and searches measure
// the merge, which needs it on the device.

import { join } from 'node:path'
import { EngineError } from '../../core/errors.ts'
import { TextCodec } from '../../core/files/tokenizer.ts'
import { weightsDigest } from '../../core/files/weightsDigest.ts'
import type { LossTerm } from '../../core/geometry/alignmentRows.ts'
import { coveredShapes, factorRows, tokensOf } from '../../core/geometry/factoredRows.ts'
import { type FisherFile, readFisherFile } from '../../core/geometry/fisherFile.ts'
import {
  factoredShield,
  type MetricReader,
  solveStreamed,
  streamProducts,
} from '../../core/merge/alignMerge/streamedShield.ts'
import { normaliseWeights } from '../../core/merge/closedForm.ts'
import { methodOf } from '../../core/merge/methods/registry.ts'
import { streamMerge } from '../../core/merge/streamMerge.ts'
import type { ModelConfig } from '../../core/model/config.ts'
import { lossTerms, rowProbes } from '../../core/session/sequences.ts'
import { type JobOptions, ROW_COUNT } from '../../core/session/session.ts'
import { UsageError } from './command.ts'
import { factorFolder } from './factorFolder.ts'
import { openFisher, type PlanRun, type PlanSink, setupOf, uniformParameters } from './runPlan.ts'

/** Parameters that must stand at their defaults: one linearisation, no budget. */
const PLAIN = ['rounds', 'budget', 'search', 'one_sided', 'row_weights', 'subspace', 'control']
/** Elements of a weight whose Fisher values are read at once. */
const STRIP = 2 ** 22

/** g = F + ρ mean F over all weights, read where it is needed. */
async function metricOf(
  file: FisherFile,
  run: PlanRun,
  anchor: string,
  damping: number,
): Promise<MetricReader> {
  const { weights, parameterCount } = run.models.get(anchor)!.checkpoint
  let sum = 0
  for (const { name, shape } of weights) {
    const total = shape.reduce((a, b) => a * b, 1)
    for (let start = 0; start < total; start += STRIP) {
      const part = { start, count: Math.min(STRIP, total - start) }
      for (const value of await file.read(name, undefined, part)) sum += value
    }
  }
  if (!(sum > 0)) throw new EngineError('check-failed', 'the Fisher diagonal is zero everywhere')
  return {
    read: (name, part, signal) => file.read(name, signal, part),
    shift: (damping * sum) / parameterCount,
  }
}

/** As many rows as a resident merge has, or fewer where their tokens' factors would outgrow a binding. */
function pickTerms(
  { session }: PlanRun,
  codec: TextCodec,
  source: 'unwanted' | 'margin',
  seed: number,
  config: ModelConfig,
): { terms: LossTerm[]; count: number } {
  const widest = Math.max(...[...coveredShapes(config).values()].flat())
  for (let rows = ROW_COUNT; ; rows = Math.floor(rows / 2)) {
    const probes = rowProbes(session.probes, 'estimate', rows, seed)
    const terms = lossTerms(codec, probes, source)
    const bytes = tokensOf(terms) * widest * 4
    if (bytes <= session.gpu.summary.maxBindingBytes) return { terms, count: probes.length }
    if (rows <= 2)
      throw new EngineError(
        'gpu-limit',
        `factors of two rows need ${bytes} bytes, the adapter binds at most ${session.gpu.summary.maxBindingBytes}`,
      )
  }
}

/** Carries out a plan of `alignmerge`; `folder` holds the factors meanwhile. */
export async function runAlignStreamed(
  run: PlanRun,
  sink: PlanSink,
  folder: string,
  job: JobOptions,
): Promise<void> {
  const { plan, session, models, fisherFiles } = run
  const setup = setupOf(plan, uniformParameters(plan))
  if (setup.source !== 'unwanted' && setup.source !== 'margin')
    throw new UsageError(`--stream: rows of source ${setup.source} need whole models; use source: margin`)
  const odd = Object.entries(setup.parameters ?? {}).find(([id, value]) => {
    const declared = methodOf(plan.method).declaration.parameters.find((one) => one.id === id)
    return declared && PLAIN.includes(id) && value !== declared.default
  })
  if (odd)
    throw new UsageError(`--stream: ${odd[0]} ${odd[1]} measures the merge, which needs it on the device`)
  const path = fisherFiles.get(setup.anchor)
  if (path === undefined)
    throw new UsageError(
      `--stream needs --fisher ${setup.anchor}=FILE; alignmerge fisher ${setup.anchor} --stream writes it`,
    )
  const { checkpoint: anchor } = models.get(setup.anchor)!
  const { gpu } = session
  const { config, weights, stored } = anchor
  const owner = { name: setup.anchor, digest: await weightsDigest(anchor, { signal: job.signal }), weights }
  const file = await readFisherFile(await openFisher(path), owner, job.signal)
  const metric = await metricOf(file, run, setup.anchor, setup.damping)
  const { terms, count } = pickTerms(run, new TextCodec(anchor), setup.source, setup.seed, config)
  const store = await factorFolder(join(folder, 'factors'), coveredShapes(config))
  const experts = setup.experts.map(({ id }) => models.get(id)!.checkpoint.stored)
  const signal = job.signal
  try {
    const onProgress = job.onProgress && { onProgress: job.onProgress }
    const rows = await factorRows({ gpu, config, stored, signal, ...onProgress }, terms, count, store)
    const input = { gpu, rows, anchor: stored, experts, metric, signal }
    const products = await streamProducts({
      ...input,
      onProgress: (done, total) => job.onProgress?.('projections', done, total),
    })
    const lambdas = normaliseWeights(setup.experts.map(({ weight }) => weight))
    const b = solveStreamed(products, lambdas, setup.lambdaAlign, setup.rank)
    const shield = factoredShield(input, b)
    try {
      await streamMerge(methodOf('alignmerge'), {
        gpu,
        plan,
        readers: new Map([...models].map(([name, { checkpoint }]) => [name, checkpoint])),
        streamedShield: shield,
        ...sink,
        signal,
        onProgress: (done, total) => job.onProgress?.('merging', done, total),
      })
    } finally {
      shield.release()
    }
  } finally {
    await store.remove()
  }
}
