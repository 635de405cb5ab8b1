// Behaviour of a model whose probes another runtime answers: the same answers, the same shares, the same loss.

import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { expect, it } from 'vitest'
import { globals } from 'webgpu'
import { nodeFolder } from '../../cli/nodeFolder.ts'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import { loadOrtNode } from '../evaluate/ort/ortNode.ts'
import { OrtBackend } from '../evaluate/ortBackend.ts'
import { readProbes } from '../evaluate/probes.ts'
import { openCheckpoint } from '../files/checkpoint.ts'
import { Measures } from './measures.ts'
import { Session, type Setup } from './session.ts'

const zoo = resolve(import.meta.dirname, '../../../public/zoo')

it('measures the same behaviour whoever answers', async () => {
  const gpu = await openTestDevice()
  const probes = readProbes(JSON.parse(await readFile(`${zoo}/probes.json`, 'utf8')), 'probes.json')
  const session = new Session(gpu, probes)
  const checkpoint = await openCheckpoint(await nodeFolder(`${zoo}/anchor`))
  const { model } = await session.load('anchor', checkpoint)
  const measures = new Measures(session)
  const setup = { anchor: 'anchor', seed: 1 } as Setup
  const own = await measures.behaviour(setup, model, 8)
  const backend = new OrtBackend(gpu, () => loadOrtNode({ gpu: navigator.gpu, globals }))
  let asked = 0
  session.answerWith = (spoken) => {
    asked++
    return backend.of(spoken)
  }
  const theirs = await measures.behaviour(setup, model, 8)
  expect(asked).toBe(1)
  expect(theirs.answered.map(({ text }) => text)).toEqual(own.answered.map(({ text }) => text))
  const { answerLoss: loss, ...shares } = theirs.behaviour
  const { answerLoss: ownLoss, ...ownShares } = own.behaviour
  expect(shares).toEqual(ownShares)
  expect(loss).toMatchObject({ value: expect.closeTo((ownLoss as { value: number }).value, 4) })
  await backend.dispose()
  gpu.close()
})
