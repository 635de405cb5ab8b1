import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readSafetensorsHeader, readTensor } from '../../core/files/safetensors.ts'
import { MemorySource } from '../../core/files/source.ts'
import { decodeWeights } from '../../core/tensors/dtype.ts'
import { runCli, runHere, temporary } from './testCli.ts'

let folder: Awaited<ReturnType<typeof temporary>>
beforeAll(async () => {
  folder = await temporary()
})
afterAll(() => folder.remove())

describe('alignmerge fisher', () => {
  it('writes a file that is this model’s alone', async () => {
    const made = await runCli(['fisher', 'anchor', '--sequences', '9', '--json'], { cwd: folder.path })
    expect(made.code).toBe(0)
    const { file, digest, tokens } = made.json() as { file: string; digest: string; tokens: number }
    expect(await readdir(folder.path)).toEqual([`fisher-${digest.slice(0, 12)}.safetensors`])
    expect(tokens).toBeGreaterThan(9)
    const source = new MemorySource(new Uint8Array(await readFile(file)), 'f')
    const header = await readSafetensorsHeader(source)
    expect(header.metadata).toMatchObject({ format: 'alignmerge-fisher', model: 'anchor', sequences: '9' })
    expect(header.tensors.size).toBe(27)
    const values = decodeWeights(await readTensor(source, header, 'lm_head.weight'), 'f32')
    expect(values.every((value) => value >= 0)).toBe(true)
    expect(Math.max(...values)).toBeGreaterThan(0)

    const own = await runHere(['fisher', 'anchor', '--check', file, '--json'])
    expect(own.code).toBe(0)
    expect(own.json()).toEqual({ ...(made.json() as object) })
    const other = await runHere(['fisher', 'safety', '--check', file, '--json'])
    expect(other.code).toBe(1)
    expect(other.json()).toMatchObject({
      error: {
        code: 'shape-mismatch',
        message: expect.stringContaining('a Fisher diagonal of other weights: made for anchor'),
      },
    })
  })

  it('refuses a damaged file', async () => {
    const [name] = await readdir(folder.path)
    const bytes = await readFile(join(folder.path, name))
    bytes.writeFloatLE(-1, bytes.length - 4)
    const damaged = join(folder.path, 'damaged.safetensors')
    await writeFile(damaged, bytes)
    const { code, stderr } = await runHere(['fisher', 'anchor', '--check', damaged])
    expect(code).toBe(1)
    expect(stderr).toMatch(/^file-malformed: a Fisher diagonal has no value -1 .*tensor lm_head\.weight/)
  })

  it('gives the same file for the same seed', async () => {
    const run = async (name: string, seed: string) => {
      const path = join(folder.path, name)
      await runHere(['fisher', 'anchor', '--sequences', '6', '--seed', seed, '--out', path])
      return readFile(path)
    }
    const first = await run('1', '5')
    expect(first.equals(await run('2', '5'))).toBe(true)
    expect(first.equals(await run('3', '6'))).toBe(false)
  })
})
