import { describe, expect, it } from 'vitest'
import { mlxModel } from '../../../../testing/mlxModel.ts'
import { expectFailure, packTensors, tinyConfig, tinyFiles } from '../../../../testing/tinyCheckpoint.ts'
import { openCheckpoint } from '../../checkpoint.ts'
import { memoryFolder } from '../../folder.ts'
import { countOf, readElements } from '../../storedWeight.ts'

describe('MLX', () => {
  it.each([
    { bits: 2, groupSize: 32, type: 'bf16' as const },
    { bits: 3, groupSize: 32, type: 'f16' as const },
    { bits: 4, groupSize: 32, type: 'bf16' as const },
    { bits: 5, groupSize: 32, type: 'f32' as const },
    { bits: 6, groupSize: 32, type: 'f16' as const },
    { bits: 8, groupSize: 32, type: 'f32' as const },
  ])('opens affine groups of $bits bits, scales in $type', async (settings) => {
    const { files, values } = mlxModel(settings)
    const checkpoint = await openCheckpoint(memoryFolder('mlx', files))
    expect(checkpoint.format).toBe('mlx')
    expect(checkpoint.rawConfig).not.toHaveProperty('quantization')
    expect(checkpoint.rawConfig).not.toHaveProperty('quantization_config')
    expect(checkpoint.stored.get('lm_head.weight')!.storage).toBe('int8, groups of 32')
    expect(checkpoint.extraTensors).toEqual([])
    for (const [name, expected] of values)
      expect(await readElements(checkpoint.stored.get(name)!), name).toEqual(Float32Array.from(expected))
  })

  it('reads ranges of groups, rows in the middle among them', async () => {
    const { files, values } = mlxModel({ bits: 3, groupSize: 32, type: 'f32' })
    const { stored } = await openCheckpoint(memoryFolder('mlx', files))
    const weight = stored.get('model.layers.1.mlp.down_proj.weight')!
    const all = Float32Array.from(values.get(weight.name)!)
    for (const [begin, count] of [
      [0, 96],
      [96 * 5, 96 * 2],
      [96 * 5 + 7, 50],
      [countOf(weight) - 33, 33],
    ])
      expect(await readElements(weight, begin, count)).toEqual(all.slice(begin, begin + count))
    await expectFailure(weight.read(7, 32), 'request-invalid', { tensor: weight.name })
  })

  const change = (edit: (quantization: Record<string, unknown>) => void) => {
    const { files, config } = mlxModel({ bits: 4, groupSize: 32, type: 'bf16' })
    edit(config.quantization)
    files.set('config.json', JSON.stringify(config))
    return openCheckpoint(memoryFolder('mlx', files))
  }

  it.each(['mxfp4', 'mxfp8', 'nvfp4'])('refuses mode %s by its name', async (mode) => {
    const whole = await expectFailure(
      change((quantization) => {
        quantization.mode = mode
      }),
      'file-unsupported',
      { file: 'config.json' },
    )
    expect(whole.message).toContain(`mode "${mode}" is not read: expected affine`)
    const own = await expectFailure(
      change((quantization) => {
        quantization.lm_head = { mode, group_size: 32, bits: 4 }
      }),
      'file-unsupported',
      { tensor: 'lm_head.weight' },
    )
    expect(own.message).toContain(`quantization.lm_head: mode "${mode}"`)
  })

  it('refuses settings that do not exist, or do not fit the words', async () => {
    const fail = (edit: Parameters<typeof change>[0]) => change(edit)
    await expectFailure(
      fail((q) => {
        q.bits = 7
      }),
      'file-unsupported',
    )
    await expectFailure(
      fail((q) => {
        q.group_size = 48
      }),
      'file-unsupported',
    )
    await expectFailure(
      fail((q) => {
        q.bits = 8
      }),
      'shape-mismatch',
    )
    await expectFailure(
      fail((q) => {
        q.group_size = 64
      }),
      'shape-mismatch',
    )
  })

  it('names packed words without scales', async () => {
    const { files, tensors } = mlxModel({ bits: 4, groupSize: 32, type: 'bf16' })
    files.set('model.safetensors', packTensors(tensors.filter(({ name }) => name !== 'lm_head.biases')))
    const error = await expectFailure(openCheckpoint(memoryFolder('mlx', files)), 'file-unsupported', {
      tensor: 'lm_head.weight',
    })
    expect(error.message).toContain('packed words without lm_head.biases')
  })

  it('leaves unquantised folders and other methods to safetensors', async () => {
    const plain = tinyFiles()
    expect((await openCheckpoint(memoryFolder('plain', plain))).format).toBe('safetensors')
    plain.set(
      'config.json',
      JSON.stringify({
        ...tinyConfig(),
        quantization_config: { quant_method: 'gptq', group_size: 32, bits: 4 },
      }),
    )
    const error = await expectFailure(openCheckpoint(memoryFolder('gptq', plain)), 'file-unsupported')
    expect(error.message).toContain('gptq')
  })
})
