// AlignMerge over files from the command line: the Fisher file of --stream is the resident one's, and the merge it leads to
// protects as the closed form does, without a model on the device.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openCheckpoint } from '../../core/files/checkpoint.ts'
import { readSafetensorsHeader, readTensor } from '../../core/files/safetensors.ts'
import { decodeWeights } from '../../core/tensors/dtype.ts'
import { FileSource, nodeFolder } from '../nodeFolder.ts'
import { ZOO } from './models.ts'
import { runHere, temporary } from './testCli.ts'

let folder: Awaited<ReturnType<typeof temporary>>
const at = (name: string) => join(folder.path, name)
beforeAll(async () => {
  folder = await temporary()
})
afterAll(() => folder.remove())

const recipe = (method: string, more: string) => `models: [{model: task-sort}]
merge_method: ${method}
base_model: anchor
parameters: {weight: 1${more}}
dtype: float32
`

async function valuesOf(path: string): Promise<Map<string, Float32Array>> {
  const checkpoint = await openCheckpoint(await nodeFolder(path))
  const values = new Map<string, Float32Array>()
  for (const { name } of checkpoint.weights) {
    const { bytes, type } = await checkpoint.readWeight(name)
    values.set(name, decodeWeights(bytes, type))
  }
  return values
}

describe('fisher --stream', () => {
  it('writes what the resident one writes, to rounding', async () => {
    const options = ['--sequences', '9', '--seed', '4', '--json']
    const whole = await runHere(['fisher', 'anchor', '--out', at('whole.safetensors'), ...options])
    const streamed = await runHere([
      'fisher',
      'anchor',
      '--out',
      at('streamed.safetensors'),
      '--stream',
      ...options,
    ])
    expect(streamed.code).toBe(0)
    const { content: _, file: __, ...about } = whole.json() as Record<string, unknown>
    expect(streamed.json()).toMatchObject(about)
    expect((await runHere(['fisher', 'anchor', '--check', at('streamed.safetensors')])).code).toBe(0)
    const open = async (name: string) => {
      const source = await FileSource.open(at(name))
      return { source, header: await readSafetensorsHeader(source) }
    }
    const [a, b] = [await open('whole.safetensors'), await open('streamed.safetensors')]
    expect([...b.header.tensors.keys()]).toEqual([...a.header.tensors.keys()])
    for (const name of a.header.tensors.keys()) {
      const expected = decodeWeights(await readTensor(a.source, a.header, name), 'f32')
      const found = decodeWeights(await readTensor(b.source, b.header, name), 'f32')
      const scale = expected.reduce((most, value) => Math.max(most, value), 0)
      const worst = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - found[i])), 0)
      expect(worst / scale, name).toBeLessThan(1e-4)
    }
    const malformed = await folder.write('ids.json', '[[1]]')
    const refused = await runHere(['fisher', 'anchor', '--stream', '--ids', malformed, '--out', at('x')])
    expect(refused.stderr).toContain('lists of two or more token ids')
  })
})

describe('merge --stream', () => {
  it('takes the rows off what it interpolates, and asks for what it needs', async () => {
    const file = at('fisher.safetensors')
    await runHere(['fisher', 'anchor', '--stream', '--sequences', '9', '--out', file])
    const text = (lambda: number) =>
      recipe('alignmerge', `, lambda_align: ${lambda}, source: margin, rank: 4`)
    const run = async (lambda: number) => {
      const path = await folder.write(`align-${lambda}.yml`, text(lambda))
      const out = at(`align-${lambda}`)
      const made = await runHere(['merge', path, out, '--stream', '--fisher', `anchor=${file}`, '--json'])
      expect(made.stderr).toContain('projections')
      expect(made.code).toBe(0)
      return valuesOf(out)
    }
    const plain = await run(0)
    const expert = await valuesOf(join(ZOO, 'task-sort'))
    const worst = (name: string, other: Map<string, Float32Array>) =>
      plain.get(name)!.reduce((most, value, i) => Math.max(most, Math.abs(value - other.get(name)![i])), 0)
    // λ_align 0 takes nothing off: one expert of weight 1 is the expert itself.
    for (const name of plain.keys()) expect(worst(name, expert), name).toBe(0)
    const shielded = await run(64)
    const isMatrix = (name: string) => name.includes('layers') && name.includes('proj')
    for (const name of plain.keys())
      if (isMatrix(name)) expect(worst(name, shielded), name).toBeGreaterThan(0)
      else expect(worst(name, shielded), name).toBe(0)
    expect(await readFile(at('align-64/README.md'), 'utf8')).toContain('AlignMerge')

    const path = await folder.write('more.yml', text(1))
    const bare = await runHere(['merge', path, at('none'), '--stream'])
    expect([bare.code, bare.stderr]).toEqual([
      2,
      expect.stringContaining('--stream needs --fisher anchor=FILE'),
    ])
    const linear = await folder.write(
      'linear.yml',
      'models: [{model: anchor}]\nmerge_method: linear\nparameters: {weight: 1}\n',
    )
    const other = await runHere(['merge', linear, at('none'), '--stream'])
    expect([other.code, other.stderr]).toEqual([2, expect.stringContaining('--stream is for alignmerge')])
  })
})
