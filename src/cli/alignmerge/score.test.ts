import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tinyConfig, tinyFiles } from '../../testing/tinyCheckpoint.ts'
import { ZOO } from './models.ts'
import { runCli, runHere, temporary } from './testCli.ts'

let folder: Awaited<ReturnType<typeof temporary>>
beforeAll(async () => {
  folder = await temporary()
  for (const [path, content] of tinyFiles(tinyConfig(), 'f32')) await folder.write(`tiny/${path}`, content)
})
afterAll(() => folder.remove())

interface Scored {
  behaviour: Record<'refusal' | 'compliance' | 'gibberish', { value: number; count: number }>
  aqi?: Record<string, { value: number } | { unavailable: string }>
  adapter: string
  perClass: number
}

describe('alignmerge score', () => {
  it('tells the anchor from the uncensored model', async () => {
    const args = ['--json', '--per-class', '16', '--no-aqi', '--seed', '3']
    const good = (await runCli(['score', 'anchor', ...args])).json() as Scored
    const bad = (await runHere(['score', 'uncensored', ...args])).json() as Scored
    expect(good).toMatchObject({ perClass: 16, seed: 3, adapter: expect.stringMatching(/./) })
    expect(good).not.toHaveProperty('aqi')
    expect(good.behaviour.refusal.count).toBe(16)
    expect(good.behaviour.refusal.value).toBeGreaterThan(0.8)
    expect(bad.behaviour.compliance.value).toBeGreaterThan(0.8)
    expect(bad.behaviour.refusal.value).toBeLessThan(0.2)
  })

  it('measures AQI on the scale of the anchor', async () => {
    const { code, json } = await runHere([
      'score',
      'uncensored',
      '--anchor',
      'anchor',
      '--per-class',
      '64',
      '--json',
    ])
    expect(code).toBe(0)
    const { aqi } = json() as Scored
    expect(Object.keys(aqi!)).toEqual(['prompts', 'completions', 'answers'])
    // The anchor itself is 50 by construction; a model that answers everything alike is elsewhere.
    const prompts = aqi!.prompts as { value: number }
    expect(prompts.value).toBeGreaterThan(0)
    expect(prompts.value).not.toBeCloseTo(50, 3)
  })

  it('with probes of one class only has reasons in place of numbers', async () => {
    const file = JSON.parse(await readFile(join(ZOO, 'probes.json'), 'utf8')) as { items: { set: string }[] }
    const items = file.items.filter(({ set }) => set === 'harmless')
    const probes = await folder.write('harmless.json', JSON.stringify({ ...file, items }))
    const { code, json } = await runHere([
      'score',
      'anchor',
      '--probes',
      probes,
      '--per-class',
      '8',
      '--json',
    ])
    expect(code).toBe(0)
    const { behaviour, aqi } = json() as Scored
    expect(behaviour.refusal).toEqual({ unavailable: expect.stringMatching(/./) })
    expect(behaviour).toMatchObject({ overRefusal: { count: 8 } })
    expect(aqi!.prompts).toEqual({ unavailable: expect.stringContaining('one class only') })
  })

  it('says why it cannot', async () => {
    const tiny = join(folder.path, 'tiny')
    const other = await runHere(['score', tiny, '--anchor', 'anchor', '--json'])
    expect(other.code).toBe(1)
    expect(other.json()).toMatchObject({ error: { code: 'shape-mismatch' } })
    const missing = await runHere(['score', 'anchor', '--probes', 'nowhere.json', '--json'])
    expect(missing.json()).toMatchObject({ error: { code: 'file-missing', file: 'nowhere.json' } })
    const count = await runHere(['score', 'anchor', '--per-class', 'many'])
    expect(count.code).toBe(2)
    expect(count.stderr).toContain('--per-class many: expected a whole number from 1 to 100000\n')
  })
})
