import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodeWeights } from '../../core/tensors/dtype.ts'
import { packTensors } from '../../testing/tinyCheckpoint.ts'
import { runCli, runHere, temporary } from './testCli.ts'

let folder: Awaited<ReturnType<typeof temporary>>
beforeAll(async () => {
  folder = await temporary()
  const tensor = (name: string, values: number[]) => ({
    name,
    dtype: 'F32' as const,
    shape: [values.length],
    bytes: encodeWeights(Float32Array.from(values), 'f32'),
  })
  const put = async (name: string, expected: number[], method = 'linear') => {
    await folder.write(`${name}/x.safetensors`, packTensors([tensor('w', [1, 2, 3])]))
    await folder.write(`${name}/y.safetensors`, packTensors([tensor('w', [5, 6, -1])]))
    await folder.write(`${name}/expected.safetensors`, packTensors([tensor('0.w', expected)]))
    const cases = [
      {
        case: 0,
        method,
        base: null,
        models: ['x', 'y'],
        parameters: { normalize: true },
        tensor_parameters: { x: { weight: 1 }, y: { weight: 3 } },
        seed: null,
      },
    ]
    await folder.write(`${name}/cases.json`, JSON.stringify(cases))
  }
  await put('good/case', [4, 5, 0])
  await put('miss', [4, 5, 0.01])
  await put('unknown', [4, 5, 0], 'frankenmerge')
  await folder.write('empty/README.md', '')
})
afterAll(() => folder.remove())

interface Report {
  passed: boolean
  cases: { name: string; rows: { passed: boolean; error: number }[] }[]
}

describe('alignmerge verify', () => {
  it('passes on vectors that are met, in a folder or below it', async () => {
    const { code, json } = await runCli(['verify', join(folder.path, 'good'), '--json'])
    expect(code).toBe(0)
    const report = json() as Report
    expect(report.passed).toBe(true)
    expect(report.cases.map(({ name, rows }) => [name, rows.length])).toEqual([['case', 1]])
    expect(report.cases[0].rows[0].error).toBeLessThan(1e-6)
    const lines = await runHere(['verify', join(folder.path, 'good/case')])
    expect(lines.stdout).toMatch(/case +0 linear .* ok/)
  })

  it.each([
    ['miss', /0 linear .*MISS/],
    ['unknown', /0 frankenmerge .*MISS .*method frankenmerge: expected one of/],
  ])('fails on a %s', async (name, line) => {
    const { code, stdout } = await runHere(['verify', join(folder.path, name)])
    expect(code).toBe(1)
    expect(stdout).toMatch(line)
  })

  it('fails where there is nothing to compare', async () => {
    const { code, json } = await runHere(['verify', join(folder.path, 'empty'), '--json'])
    expect(code).toBe(1)
    expect(json()).toMatchObject({ error: { code: 'file-missing' } })
  })
})
