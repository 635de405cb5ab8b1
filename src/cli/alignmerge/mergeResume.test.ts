// A merge that was killed goes on where it was, and the files are those of one that never was.

import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LLAMA_1B, writeSyntheticModel } from '../../testing/syntheticModel.ts'
import { nodeOutput } from '../nodeOutput.ts'
import { runCli, runHere, temporary } from './testCli.ts'

const CONFIG = {
  ...LLAMA_1B,
  hidden_size: 64,
  intermediate_size: 160,
  num_hidden_layers: 8,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 16,
  vocab_size: 600,
}

let folder: Awaited<ReturnType<typeof temporary>>
const at = (name: string) => join(folder.path, name)
beforeAll(async () => {
  folder = await temporary()
  for (const [expert, name] of ['anchor', 'first', 'second'].entries()) {
    await mkdir(at(name))
    await writeSyntheticModel(nodeOutput(at(name)), { config: CONFIG, seed: 5, expert, shardBytes: 60_000 })
  }
})
afterAll(() => folder.remove())

async function hashes(path: string): Promise<Record<string, string>> {
  const hash = async (file: string) =>
    createHash('sha256')
      .update(await readFile(join(path, file)))
      .digest('hex')
  const files = (await readdir(path)).filter((file) => /safetensors|config\.json/.test(file)).sort()
  return Object.fromEntries(await Promise.all(files.map(async (file) => [file, await hash(file)])))
}

const RECIPES: Record<string, string> = {
  linear: 'models: [{model: FIRST, parameters: {weight: 1}}, {model: SECOND, parameters: {weight: 2}}]',
  ties: 'models: [{model: FIRST}, {model: SECOND}]\nbase_model: ANCHOR\nparameters: {weight: 1, density: 0.5}',
}

describe('a killed merge', () => {
  it.each(['linear', 'ties'])('%s goes on and ends with the same bytes', async (method) => {
    const text = RECIPES[method]
      .replace('FIRST', at('first'))
      .replace('SECOND', at('second'))
      .replace('ANCHOR', at('anchor'))
    const recipe = await folder.write(`${method}.yml`, `merge_method: ${method}\n${text}\n`)
    const options = ['--shard-size', '100KB', '--json']
    // What is killed has a process of its own, the rest has the one of this file.
    const whole = await runHere(['merge', recipe, at(`${method}-whole`), ...options])
    expect(whole.stderr).toContain('merging: 74 of 74')
    expect(whole.code).toBe(0)
    const part = at(`${method}-part`)
    const killed = await runCli(['merge', recipe, part, ...options], {
      killWhen: (stderr) => stderr.includes('merging: 1 of'),
    })
    expect(killed.code).toBe(null)
    expect(await readdir(at(`.${method}-part.part`))).toContain('merge.journal.jsonl')
    const resumed = await runHere(['merge', recipe, part, ...options])
    expect(resumed.stderr).toMatch(/resumed: \d+ of 74 tensors are merged already/)
    expect(resumed.code).toBe(0)
    expect(await hashes(part)).toEqual(await hashes(at(`${method}-whole`)))
    expect((resumed.json() as { digest: string }).digest).toBe((whole.json() as { digest: string }).digest)
  })

  it('while its GGUF file is written does not begin again', async () => {
    const recipe = await folder.write(
      'converted.yml',
      `merge_method: linear\nmodels: [{model: ${at('first')}}, {model: ${at('second')}}]\nparameters: {weight: 1}\n`,
    )
    const args = ['merge', recipe, at('killed'), '--format', 'gguf', '--quantize', 'q8_0', '--json']
    const kill = () => runCli(args, { killWhen: (stderr) => stderr.includes('in buffers') })
    let killed = await kill()
    // Writing takes some milliseconds: on a busy machine the signal may come after it, and the merge is done.
    for (let attempt = 1; killed.code === 0 && attempt < 5; attempt++) {
      await rm(at('killed'), { recursive: true })
      killed = await kill()
    }
    expect(killed.code).toBe(null)
    const resumed = await runHere(args)
    expect(resumed.stderr).toContain('resumed: 74 of 74 tensors are merged already')
    expect(resumed.code).toBe(0)
    const files = await readdir(at('killed'))
    expect(files.filter((file) => /gguf|safetensors|journal/.test(file))).toEqual(['killed-Q8_0.gguf'])
  })
})
