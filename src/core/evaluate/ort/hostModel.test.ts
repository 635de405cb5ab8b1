// A built-in model on the CPU alone: its answers to probes are the engine's.

import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { globals } from 'webgpu'
import { nodeFolder } from '../../../cli/nodeFolder.ts'
import { openTestDevice } from '../../../testing/openTestDevice.ts'
import { openCheckpoint } from '../../files/checkpoint.ts'
import { TextCodec } from '../../files/tokenizer.ts'
import { DeviceModel } from '../../model/deviceModel.ts'
import { decodeAnswers } from '../answers.ts'
import { pickProbes, readProbes } from '../probes.ts'
import { openHostModel } from './hostModel.ts'
import { loadOrtNode } from './ortNode.ts'

const zoo = resolve(import.meta.dirname, '../../../../public/zoo')

describe('a built-in model without a GPU', () => {
  it('answers like the engine', async () => {
    const probes = readProbes(JSON.parse(await readFile(`${zoo}/probes.json`, 'utf8')), 'probes.json')
    const checkpoint = await openCheckpoint(await nodeFolder(`${zoo}/anchor`))
    const codec = new TextCodec(checkpoint)
    const prompts = (['harmful', 'harmless', 'attack'] as const).flatMap((set) =>
      pickProbes(probes, set, 'heldout', 8, 1).map(({ prompt }) => prompt),
    )
    const gpu = await openTestDevice()
    const ort = await loadOrtNode({ gpu: navigator.gpu, globals })
    const host = await openHostModel(ort, checkpoint)
    const answers = await decodeAnswers(host, codec, prompts, { maxNewTokens: 24 })
    expect(answers.filter(({ isEnded, text }) => isEnded && text !== '').length).toBe(prompts.length)
    const own = await DeviceModel.load(gpu, checkpoint, { type: checkpoint.dtype })
    expect(answers).toEqual(await decodeAnswers(own, codec, prompts, { maxNewTokens: 24 }))
    const stop = new AbortController()
    stop.abort()
    await expect(openHostModel(ort, checkpoint, { signal: stop.signal })).rejects.toMatchObject({
      code: 'cancelled',
    })
    await host.dispose()
    gpu.close()
  })
})
