// The labeller that is plugged in, and the answers it is asked about: kept by measurement, so that another labeller
// scores what was decoded already.

import { EngineError } from '../src/core/errors.ts'
import type { Answered } from '../src/core/evaluate/behaviour.ts'
import type { LabelItem, Labeller } from '../src/core/evaluate/labeller/labeller.ts'
import {
  labelItems,
  type MeasuredLabels,
  measureLabels,
} from '../src/core/evaluate/labeller/measureLabels.ts'
import { openClassifier } from '../src/core/evaluate/labeller/onnxLabeller.ts'
import { openRules } from '../src/core/evaluate/labeller/ruleLabeller.ts'
import { filesFolder, urlFolder } from '../src/core/files/folder.ts'
import { BlobSource, type ByteSource, readText } from '../src/core/files/source.ts'
import type { LabellerRequest, LabellerSummary } from './api.ts'
import type { Job } from './jobs.ts'

/** Measurements whose answers are kept, some 10 kB each: as many as are shown at once. Others are decoded again. */
const MAX_ANSWERED = 40
const MAX_RULES_BYTES = 2 ** 20

export class LabellerSlot {
  private labeller: Labeller | undefined
  private readonly answers = new Map<string, LabelItem[]>()

  /** Opens a labeller and lets go of the one before; a failure leaves that one in place. */
  async plug(request: LabellerRequest, job: Job): Promise<LabellerSummary> {
    const opened = await openLabeller(request, job)
    const before = this.labeller
    this.labeller = opened
    await before?.close()
    const { name, about, digest, gives, source } = opened
    return { name, about, digest, gives, source, origin: request.kind === 'built-in' ? 'built-in' : 'files' }
  }

  /** Keeps the answers of a measurement. */
  remember(id: string, answered: readonly Answered[]): void {
    this.answers.delete(id)
    this.answers.set(id, labelItems(answered))
    for (const oldest of this.answers.keys()) {
      if (this.answers.size <= MAX_ANSWERED) break
      this.answers.delete(oldest)
    }
  }

  isRemembered(id: string): boolean {
    return this.answers.has(id)
  }

  /** Scores the answers of a measurement; `request-invalid` where nothing is plugged in or was answered. */
  async measure(id: string, seed: number, job: Job): Promise<MeasuredLabels> {
    const items = this.answers.get(id)
    if (!this.labeller) throw new EngineError('request-invalid', 'no labeller is plugged in')
    if (!items) throw new EngineError('request-invalid', 'there are no answers to label')
    const { name } = this.labeller
    return measureLabels(this.labeller, items, seed, {
      signal: job.signal,
      onProgress: (done, total) => job.report(`labels by ${name}`, done, total),
    })
  }

  /** Forgets everything; for an engine that is opened anew. */
  async clear(): Promise<void> {
    this.answers.clear()
    const before = this.labeller
    this.labeller = undefined
    await before?.close()
  }
}

async function openLabeller(request: LabellerRequest, job: Job): Promise<Labeller> {
  switch (request.kind) {
    case 'built-in': {
      // Beside the page, as the zoo is.
      const folder = urlFolder(new URL('../labellers/', self.location.href).href)
      const file = 'rules.json'
      const source = await folder.file(file, job.signal)
      if (!source) throw new EngineError('file-missing', 'the shipped rule set is not there', { file })
      return readRuleSet(source, file, job)
    }
    case 'rules': {
      const [file, ...more] = request.files
      if (!file) throw new EngineError('request-invalid', 'expected a rule set, found no file')
      if (more.length > 0)
        throw new EngineError(
          'request-invalid',
          `one rule set at a time: found ${file.name} and ${more[0]!.name}`,
        )
      return readRuleSet(new BlobSource(file, file.name), file.name, job)
    }
    case 'onnx': {
      job.report('loading onnxruntime-web', 0, 2)
      const { loadOrtBrowser } = await import('../src/core/evaluate/ort/ortBrowser.ts')
      const ort = await loadOrtBrowser()
      job.report('opening the classifier', 1, 2)
      return openClassifier(ort, filesFolder(request.files), request, job.signal)
    }
  }
}

async function readRuleSet(source: ByteSource, file: string, job: Job): Promise<Labeller> {
  return openRules(await readText(source, MAX_RULES_BYTES, job.signal), file)
}
