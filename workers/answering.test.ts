// Who answers: outside a browser onnxruntime-web's files cannot be fetched, so the merge must fall back and say so.
// That the merge answers through onnxruntime-web in a browser is a journey's business.

import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { expect, it } from 'vitest'
import { nodeFolder } from '../src/cli/nodeFolder.ts'
import { readProbes } from '../src/core/evaluate/probes.ts'
import { openCheckpoint } from '../src/core/files/checkpoint.ts'
import { TextCodec } from '../src/core/files/tokenizer.ts'
import { DeviceModel } from '../src/core/model/deviceModel.ts'
import { openTestDevice } from '../src/testing/openTestDevice.ts'
import { Answering, OWN_KERNELS } from './answering.ts'
import type { Subject } from './api.ts'
import type { Job } from './jobs.ts'

const zoo = resolve(import.meta.dirname, '../public/zoo')

it('falls back to our kernels, with the same answer and the reason', async () => {
  const probes = readProbes(JSON.parse(await readFile(`${zoo}/probes.json`, 'utf8')), 'probes.json')
  const checkpoint = await openCheckpoint(await nodeFolder(`${zoo}/task-sort`))
  const codec = new TextCodec(checkpoint)
  const gpu = await openTestDevice()
  const model = await DeviceModel.load(gpu, checkpoint, { type: checkpoint.dtype })
  const answering = new Answering()
  const job = { signal: new AbortController().signal, report: () => {} } as unknown as Job
  const ask = (subject: Subject) =>
    answering.answer(gpu, subject, model, { prompt: 'sort 7 1 4 3', codec, probes }, job)
  const own = await ask({ kind: 'model', id: 'task-sort' })
  expect(own).toMatchObject({ label: 'task-sort', text: '1 3 4 7', verdict: 'answer', backend: OWN_KERNELS })
  const merge = await ask({ kind: 'merge', lambdaAlign: 4 })
  expect(merge).toMatchObject({ label: 'merge', text: '1 3 4 7', verdict: 'answer' })
  expect(merge.backend).toMatch(/^own kernels; onnxruntime-web did not load/)
  await answering.dispose()
  gpu.close()
})
