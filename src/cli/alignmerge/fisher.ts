// alignmerge fisher MODEL: the Fisher diagonal of a model as a file, or the check that a file is this model's.

import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { EngineError } from '../../core/errors.ts'
import type { Checkpoint } from '../../core/files/checkpoint.ts'
import { sha256Text } from '../../core/files/contentHash.ts'
import { TextCodec } from '../../core/files/tokenizer.ts'
import { weightsDigest } from '../../core/files/weightsDigest.ts'
import { fisherDiagonal } from '../../core/geometry/fisher.ts'
import { type FisherFileInfo, layFisher, readFisherFile, saveFisher } from '../../core/geometry/fisherFile.ts'
import { destroyBuffers } from '../../core/geometry/metric.ts'
import { fisherBytes, streamFisher } from '../../core/geometry/streamedFisher.ts'
import type { Sequence } from '../../core/model/batch.ts'
import { probesDigest } from '../../core/session/geometryFiles.ts'
import { fisherSequences } from '../../core/session/sequences.ts'
import { FISHER_SEQUENCES } from '../../core/session/session.ts'
import { FileSource } from '../nodeFolder.ts'
import type { Call, Command, Output } from './command.ts'
import { jobOptions, PROBE_OPTIONS, type Probes, readProbeFile, withGpu, withSession } from './engine.ts'
import { writeWhole } from './files.ts'
import { writeInPlace } from './fisherInPlace.ts'
import { findModel, openModel } from './models.ts'

interface Choice {
  labels: FisherFileInfo['labels']
  form: FisherFileInfo['form']
  sequences: number
  seed: number
}

const choiceOf = (call: Call): Choice => ({
  labels: call.choice('labels', ['sampled', 'data'], 'sampled'),
  form: call.choice('form', ['sequence', 'fast'], 'sequence'),
  sequences: call.count('sequences', FISHER_SEQUENCES, 1, 100_000),
  seed: call.count('seed', 1, 0, 2 ** 32 - 1),
})

async function check(path: string, checkpoint: Checkpoint, digest: string, signal: AbortSignal) {
  let source: FileSource
  try {
    source = await FileSource.open(path)
  } catch {
    throw new EngineError('file-missing', `no file at ${path}`)
  }
  const { name, weights } = checkpoint
  return (await readFisherFile(source, { name, digest, weights }, signal)).origin
}

async function compute(
  checkpoint: Checkpoint,
  digest: string,
  probes: Probes,
  choice: Choice,
  path: string,
  output: Output,
  signal: AbortSignal,
): Promise<FisherFileInfo> {
  const job = jobOptions(output, signal)
  return withSession(output, probes.file, async (session) => {
    const { model, codec } = await session.load('model', checkpoint, job)
    const sequences = fisherSequences(codec, probes.file, choice.sequences, choice.seed)
    const fisher = await fisherDiagonal(model, sequences, {
      ...choice,
      signal,
      onProgress: (done, total) => job.onProgress?.('Fisher information', done, total),
    })
    const { name, weights } = checkpoint
    const recipe = { ...choice, probes: await probesDigest(probes.file) }
    const { info, chunks } = await saveFisher(model, { name, digest, weights }, fisher, recipe, { signal })
    await writeWhole(path, chunks(signal))
    destroyBuffers(fisher.sums)
    return info
  })
}

/** Token ids of --ids: a JSON list of lists; every token but the first of a list is a target. */
async function readIds(path: string): Promise<{ sequences: Sequence[]; sha256: string }> {
  const text = await readFile(resolve(path), 'utf8').catch(() => {
    throw new EngineError('file-missing', `no file at ${resolve(path)}`)
  })
  const lists: unknown = JSON.parse(text)
  const isList = (list: unknown) => Array.isArray(list) && list.length > 1 && list.every(Number.isInteger)
  if (!Array.isArray(lists) || lists.length === 0 || !lists.every(isList))
    throw new EngineError('file-malformed', 'expected a JSON list of lists of two or more token ids', {
      file: path,
    })
  return {
    sequences: (lists as number[][]).map((ids) => ({ ids, firstTarget: 1 })),
    sha256: await sha256Text(text),
  }
}

/** The same for a model that is never held: layer by layer, added up on the disk. */
async function computeStreamed(
  checkpoint: Checkpoint,
  digest: string,
  call: Call,
  choice: Choice,
  path: string,
  output: Output,
  signal: AbortSignal,
): Promise<FisherFileInfo> {
  const job = jobOptions(output, signal)
  const given = call.text('ids')
  let sequences: Sequence[]
  let probes: string
  if (given !== undefined) ({ sequences, sha256: probes } = await readIds(given))
  else {
    const { file } = await readProbeFile(call)
    const codec = new TextCodec(checkpoint)
    sequences = fisherSequences(codec, file, choice.sequences, choice.seed)
    probes = await probesDigest(file)
  }
  const tokens = sequences.reduce(
    (sum, { ids, firstTarget = ids.length }) => sum + ids.length - firstTarget,
    0,
  )
  const { name, weights, config, stored } = checkpoint
  const { labels, form, seed } = choice
  const counts = { tokens, sequences: sequences.length }
  const layout = layFisher({ name, digest, weights }, counts, { labels, form, seed, probes })
  const held = fisherBytes(config, stored, sequences)
  output.note(`holds about ${(held / 1e6).toFixed(0)} MB of buffers at most`)
  const content = await withGpu(output, (gpu) =>
    writeInPlace(
      path,
      layout,
      async (out) => {
        const shared = { labels, form, seed, signal, ...(job.onProgress && { onProgress: job.onProgress }) }
        await streamFisher({ gpu, config, stored, sequences, out, ...shared })
      },
      signal,
    ),
  )
  return { model: name, digest, content, labels, form, seed, probes, ...counts }
}

export const fisher: Command = {
  name: 'fisher',
  usage: 'MODEL',
  summary: 'the Fisher diagonal of a model as a file',
  positionals: { min: 1, max: 1 },
  options: {
    out: { value: 'FILE', help: 'where it goes (default: fisher-<digest>.safetensors here)' },
    check: { value: 'FILE', help: 'compute nothing; check that FILE was made for this model' },
    labels: { value: 'WORD', help: 'sampled from the model (default), or data' },
    form: { value: 'WORD', help: 'sequence, exact (default), or fast, per token' },
    sequences: { value: 'N', help: `sequences averaged over (default ${FISHER_SEQUENCES})` },
    stream: { help: 'layer by layer from the files, for models that do not fit the device' },
    ids: { value: 'FILE', help: 'with --stream: token ids as JSON, a list of lists, instead of probes' },
    ...PROBE_OPTIONS,
    models: { value: 'FOLDER', help: 'where models are looked for that are no paths from here' },
  },
  details: `
The file is safetensors: one float32 tensor per weight, sums of squared gradients. Its metadata hold the tokens to divide
by and the digest of the weights (the one that inspect prints), and a file of other weights is refused wherever one is read.`,
  async run(call, output, signal) {
    const choice = choiceOf(call)
    const checkpoint = await openModel(await findModel(call.positionals[0], call.text('models')), signal)
    const digest = await weightsDigest(checkpoint, { signal })
    const checked = call.text('check')
    const path = resolve(checked ?? call.text('out') ?? `fisher-${digest.slice(0, 12)}.safetensors`)
    const origin =
      checked === undefined
        ? call.has('stream')
          ? await computeStreamed(checkpoint, digest, call, choice, path, output, signal)
          : await compute(checkpoint, digest, await readProbeFile(call), choice, path, output, signal)
        : await check(path, checkpoint, digest, signal)
    if (call.isJson) output.print(JSON.stringify({ file: path, ...origin }))
    else
      output.print(
        `${path}: Fisher diagonal of ${origin.model}, ${origin.tokens} tokens of ${origin.sequences} sequences, ${origin.labels} labels, ${origin.form} form, seed ${origin.seed}`,
      )
    return 0
  },
}
