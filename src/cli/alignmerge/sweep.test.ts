import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCli, runHere, temporary } from './testCli.ts'

let folder: Awaited<ReturnType<typeof temporary>>
const at = (name: string) => join(folder.path, name)
beforeAll(async () => {
  folder = await temporary()
  await folder.write(
    'linear.yml',
    'models:\n- {model: anchor, parameters: {weight: 1}}\n- {model: uncensored, parameters: {weight: 1}}\nmerge_method: linear\n',
  )
})
afterAll(() => folder.remove())

interface Row {
  index: number
  point: Record<string, unknown>
  digest?: string
  behaviour?: { refusal: { value: number; count: number } }
  error?: { code: string }
}

const WEIGHTS = ['--set', 'models[1].parameters.weight=0,0.5,4']
const FEW = ['--per-class', '8', '--no-aqi']
const rowsOf = async (path: string): Promise<Row[]> =>
  (await readFile(path, 'utf8'))
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => JSON.parse(line) as Row)

describe('alignmerge sweep', () => {
  it('gives a row for each point, and the same rows when it was killed on the way', async () => {
    const whole = at('whole.jsonl')
    const first = await runHere(['sweep', at('linear.yml'), whole, ...WEIGHTS, ...FEW, '--json'])
    expect(first.code).toBe(0)
    const rows = await rowsOf(whole)
    expect((first.json() as { rows: Row[] }).rows).toEqual(rows)
    expect(rows.map(({ index, point }) => [index, point])).toEqual([
      [0, { 'models[1].parameters.weight': 0 }],
      [1, { 'models[1].parameters.weight': 0.5 }],
      [2, { 'models[1].parameters.weight': 4 }],
    ])
    // The anchor alone refuses; the more of the uncensored model, the less.
    const refusal = rows.map(({ behaviour }) => behaviour!.refusal.value)
    expect(refusal[0]).toBeGreaterThan(0.8)
    expect(refusal[2]).toBeLessThan(0.3)
    expect(new Set(rows.map(({ digest }) => digest)).size).toBe(3)

    const killed = at('killed.jsonl')
    const args = ['sweep', at('linear.yml'), killed, ...WEIGHTS, ...FEW]
    const stopped = await runCli(args, { killWhen: (stderr) => stderr.includes('1 of 3: ') })
    expect(stopped.code).not.toBe(0)
    const kept = await rowsOf(killed)
    expect(kept.length).toBeGreaterThanOrEqual(1)
    expect(kept.length).toBeLessThan(3)
    const resumed = await runHere(args)
    expect(resumed.code).toBe(0)
    expect(resumed.stderr).toContain(`${kept.length} of 3 are there already\n`)
    expect(resumed.stderr).not.toContain('1 of 3: ')
    expect(await readFile(killed, 'utf8')).toBe(await readFile(whole, 'utf8'))
  })

  it('the merge of a point is the one that merge writes', async () => {
    const [row] = await rowsOf(at('whole.jsonl'))
    const recipe = await folder.write(
      'point.yml',
      (await readFile(at('linear.yml'), 'utf8')).replace(/uncensored(.*)1/, 'uncensored$10'),
    )
    const merged = (await runHere(['merge', recipe, at('point'), '--json'])).json() as { digest: string }
    expect(merged.digest).toBe(row.digest)
  })

  it('does not mix sweeps', async () => {
    const args = [
      'sweep',
      at('linear.yml'),
      at('whole.jsonl'),
      '--set',
      'models[1].parameters.weight=1',
      ...FEW,
    ]
    const before = await readFile(at('whole.jsonl'), 'utf8')
    const { code, stderr } = await runHere(args)
    expect(code).toBe(1)
    expect(stderr).toContain(
      'is another sweep: recipe, models, probes or options differ; --force starts anew',
    )
    expect(await readFile(at('whole.jsonl'), 'utf8')).toBe(before)
    expect((await runHere([...args, '--force'])).code).toBe(0)
    expect(await rowsOf(at('whole.jsonl'))).toHaveLength(1)
  })

  it('has a point’s fault as its row, and goes on', async () => {
    const { code, json } = await runHere([
      'sweep',
      at('linear.yml'),
      at('fault.jsonl'),
      '--set',
      'models[1].parameters.weight=-1,1',
      ...FEW,
      '--json',
    ])
    expect(code).toBe(1)
    const { rows } = json() as { rows: Row[] }
    expect(rows[0]).toMatchObject({ index: 0, error: { code: 'request-invalid' } })
    expect(rows[0]).not.toHaveProperty('behaviour')
    expect(rows[1].behaviour!.refusal.count).toBe(8)
  })

  it('refuses wrong grids before anything is run', async () => {
    const fail = async (...set: string[]) => {
      const { code, json } = await runHere(['sweep', at('linear.yml'), at('no.jsonl'), ...set, '--json'])
      return [code, (json() as { error: { message: string } }).error.message]
    }
    expect(await fail()).toEqual([2, 'expected at least one --set PLACE=V,…'])
    expect(await fail('--set', 'x')).toEqual([2, expect.stringMatching(/^--set x: expected PLACE=VALUE/)])
    expect(await fail('--set', 'density=0.5')).toEqual([
      1,
      'the recipe: parameters.density: linear has no parameter of this name; it has weight, normalize',
    ])
    expect(await fail('--set', 'models[1].parameters.weight=1,99')).toEqual([
      1,
      expect.stringMatching(/^the recipe: models\[1\]\.parameters\.weight: 99 is outside/),
    ])
    await expect(readFile(at('no.jsonl'))).rejects.toThrow('ENOENT')
  })
})
