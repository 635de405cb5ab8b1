import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tinyConfig, tinyFiles } from '../../testing/tinyCheckpoint.ts'
import { runCli, runHere, temporary } from './testCli.ts'

let folder: Awaited<ReturnType<typeof temporary>>
beforeAll(async () => {
  folder = await temporary()
  const put = async (name: string, files: Map<string, Uint8Array | string>) => {
    for (const [path, content] of files) await folder.write(`${name}/${path}`, content)
  }
  await put('x', tinyFiles(tinyConfig(), 'f32', 1))
  await put('wide', tinyFiles({ ...tinyConfig(), intermediate_size: 16 }, 'bf16', 2))
})
afterAll(() => folder.remove())

describe('alignmerge preflight', () => {
  it('finds nothing wrong with the built-in models', async () => {
    const { code, stdout } = await runCli(['preflight', 'anchor', 'task-sort', 'uncensored'])
    expect(code).toBe(0)
    expect(stdout).toContain('anchor · Phi3ForCausalLM · safetensors · 0.3 M parameters, 611 kB · BF16')
    expect(stdout).not.toMatch(/^(error|warning):/m)
    expect(stdout.trim().split('\n').at(-1)).toBe('can be merged')
  })

  it('lists everything that differs and says that it cannot be merged', async () => {
    const args = ['preflight', `${folder.path}/x`, `${folder.path}/wide`]
    const { code, stdout } = await runHere(args)
    expect(code).toBe(1)
    expect(stdout).toContain('intermediate_size of')
    expect(stdout).toContain('4 weights differ in shape or name')
    const report = (await runHere([...args, '--json'])).json() as {
      canMerge: boolean
      findings: { level: string; topic: string }[]
      models: { addedTokens: Record<string, string> }[]
    }
    expect(report.canMerge).toBe(false)
    expect(report.findings.map(({ level, topic }) => `${level} ${topic}`)).toEqual([
      'error architecture',
      'error weights',
      'note licence',
      'note licence',
    ])
    expect(Object.values(report.models[0].addedTokens)).toContain('<|end|>')
  })
})
