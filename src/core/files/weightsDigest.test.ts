import { describe, expect, it } from 'vitest'
import { packTensors, tinyConfig, tinyFiles, tinyTensors } from '../../testing/tinyCheckpoint.ts'
import { openCheckpoint } from './checkpoint.ts'
import { memoryFolder } from './folder.ts'
import { weightsDigest } from './weightsDigest.ts'

const digest = async (files: Map<string, Uint8Array | string>) =>
  weightsDigest(await openCheckpoint(memoryFolder('model', files)))

describe('weightsDigest', () => {
  it('is that of the weights, not of their files', async () => {
    const expected = await digest(tinyFiles())
    const tensors = tinyTensors()
    const sharded = tinyFiles()
    sharded.delete('model.safetensors')
    const parts = [tensors.slice(5), tensors.slice(0, 5)]
    const map: Record<string, string> = {}
    parts.forEach((part, i) => {
      sharded.set(`${i}.safetensors`, packTensors(part))
      for (const { name } of part) map[name] = `${i}.safetensors`
    })
    sharded.set('model.safetensors.index.json', JSON.stringify({ weight_map: map }))
    expect(await digest(sharded)).toBe(expected)
    expect(await digest(tinyFiles().set('README.md', 'other'))).toBe(expected)
  })

  it('changes with one bit, the stored type and the names', async () => {
    const expected = await digest(tinyFiles())
    const tensors = tinyTensors()
    tensors[7].bytes[3] ^= 1
    const changed = await digest(tinyFiles().set('model.safetensors', packTensors(tensors)))
    expect(changed).not.toBe(expected)
    expect(await digest(tinyFiles(tinyConfig(), 'f32'))).not.toBe(expected)
    const swapped = tinyTensors()
    ;[swapped[1].bytes, swapped[5].bytes] = [swapped[5].bytes, swapped[1].bytes]
    expect(await digest(tinyFiles().set('model.safetensors', packTensors(swapped)))).not.toBe(expected)
  })
})
