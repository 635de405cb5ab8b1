// Recipes whose models lie on a hub: found after what is on the disk, read by ranges, named by their commit.

import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { type HubServer, startHubServer } from '../../testing/hubServer.ts'
import { ZOO } from './models.ts'
import { runHere, temporary } from './testCli.ts'

const TOKEN = 'hf_secretsecretsecret'
const inGit = (path: string) => !path.endsWith('.safetensors')
let folder: Awaited<ReturnType<typeof temporary>>
let server: HubServer

async function zooFiles(id: string): Promise<Map<string, Uint8Array>> {
  const names = await readdir(join(ZOO, id))
  return new Map(
    await Promise.all(names.map(async (name) => [name, await readFile(join(ZOO, id, name))] as const)),
  )
}

beforeAll(async () => {
  folder = await temporary()
  server = await startHubServer(
    new Map([
      ['zoo/safety', { files: await zooFiles('safety'), inGit }],
      ['zoo/task-sort', { files: await zooFiles('task-sort'), inGit, gatedFor: [TOKEN] }],
    ]),
  )
  vi.stubEnv('HF_ENDPOINT', server.url)
  vi.stubEnv('HF_TOKEN', TOKEN)
})
afterEach(() => {
  vi.stubEnv('HF_TOKEN', TOKEN)
  vi.stubEnv('HF_HUB_OFFLINE', '')
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await server.close()
  await folder.remove()
})

const recipeOf = (a: string, b: string) =>
  `models:\n- {model: ${a}, parameters: {weight: 0.5}}\n- {model: ${b}, parameters: {weight: 0.5}}\nmerge_method: linear\ndtype: float32\n`

async function merged(name: string, recipe: string) {
  const file = join(folder.path, `${name}.yaml`)
  await writeFile(file, recipe)
  const out = join(folder.path, name)
  const run = await runHere(['merge', file, out])
  return { ...run, out }
}

describe('a recipe of repositories', () => {
  it('gives the bytes that the same files on the disk give', async () => {
    const local = await merged('local', recipeOf('safety', 'task-sort'))
    const remote = await merged('remote', recipeOf('zoo/safety@main', 'hub:zoo/task-sort'))
    expect([local.code, remote.code], remote.stderr).toEqual([0, 0])
    const weights = ({ out }: { out: string }) => readFile(join(out, 'model.safetensors'))
    expect((await weights(remote)).equals(await weights(local))).toBe(true)
    const card = await readFile(join(remote.out, 'README.md'), 'utf8')
    expect(card).toContain(`hub:zoo/safety@${server.commitOf('zoo/safety')}`)
    const texts = [
      card,
      remote.stdout,
      remote.stderr,
      await readFile(join(remote.out, 'config.json'), 'utf8'),
    ]
    expect(texts.join('\n')).not.toContain('hf_')
    const ranged = server.log.filter(({ url }) => url.includes('/resolve/'))
    expect(ranged.every(({ range }) => range !== undefined)).toBe(true)
    expect(server.log.filter(({ at }) => at === 'cdn').every(({ authorization }) => !authorization)).toBe(
      true,
    )
  })

  it('without what it needs is refused by name', async () => {
    const reason = async (name: string, a: string) => (await merged(name, recipeOf(a, 'safety'))).stderr
    expect(await reason('revision', 'zoo/safety@v9')).toContain('zoo/safety has no revision v9')
    expect(await reason('unknown', 'zoo/none')).toContain('and as a repository: ')
    vi.stubEnv('HF_TOKEN', '')
    expect(await reason('gated', 'zoo/task-sort')).toContain('zoo/task-sort is gated: accept its conditions')
    vi.stubEnv('HF_HUB_OFFLINE', '1')
    const asked = server.log.length
    expect(await reason('offline', 'zoo/safety@main')).toContain('HF_HUB_OFFLINE=1 forbids')
    expect(server.log).toHaveLength(asked)
  })

  it('takes a folder of the same name first, and no revision of it', async () => {
    const place = join(folder.path, 'models/zoo/safety')
    await mkdir(place, { recursive: true })
    for (const [name, bytes] of await zooFiles('safety')) await writeFile(join(place, name), bytes)
    const asked = server.log.length
    const models = join(folder.path, 'models')
    const found = await runHere(['inspect', 'zoo/safety', '--models', models, '--no-digest'])
    expect(found.code).toBe(0)
    expect(server.log).toHaveLength(asked)
    const file = join(folder.path, 'pinned.yaml')
    await writeFile(file, recipeOf('zoo/safety@v1', 'safety'))
    const refused = await runHere(['merge', file, join(folder.path, 'pinned'), '--models', models])
    expect(refused.stderr).toContain('a folder on the disk has no revisions')
  })
})
