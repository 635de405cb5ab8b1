// Repositories of a hub that speaks the real API, its CDN at another origin: listing, ranges, tokens, refusals.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type HubServer, startHubServer } from '../../testing/hubServer.ts'
import { expectFailure } from '../../testing/tinyCheckpoint.ts'
import { openCheckpoint } from '../files/checkpoint.ts'
import { memoryFolder } from '../files/folder.ts'
import { readText } from '../files/source.ts'
import { hubFolder } from './hub.ts'
import { hubBase, readHubId } from './hubId.ts'
import { partFolder } from './partFolder.ts'

const zoo = join(import.meta.dirname, '../../../public/zoo/anchor')
const TOKEN = 'hf_secretsecretsecret'
const inGit = (path: string) => !path.endsWith('.safetensors')
let server: HubServer

beforeAll(async () => {
  const names = ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'model.safetensors']
  const files = new Map<string, Uint8Array>()
  for (const name of names) files.set(name, await readFile(join(zoo, name)))
  server = await startHubServer(
    new Map([
      ['tiny/anchor', { files, inGit, card: { license: 'apache-2.0' } }],
      ['tiny/gated', { files, inGit, gatedFor: [TOKEN] }],
    ]),
    { pageSize: 3 },
  )
})
afterAll(() => server.close())
beforeEach(() => {
  server.log.length = 0
  server.misbehaviour.clear()
})
const open = (repo = 'tiny/anchor', options = {}) =>
  hubFolder(repo, { hubUrl: server.url, waitsMs: [1, 1], ...options })

describe('a repository', () => {
  it('is listed at a commit, with sizes and hashes, page by page', async () => {
    const folder = await open()
    expect(folder.commit).toBe(server.commitOf('tiny/anchor'))
    expect(folder.list()).toHaveLength(4)
    expect(folder.card).toEqual({ license: 'apache-2.0' })
    const [config, , , weights] = folder.entries
    expect(config.hash?.kind).toBe('git')
    expect(weights.hash).toEqual({ kind: 'sha256', hex: expect.stringMatching(/^[0-9a-f]{64}$/) })
    expect(server.log.map(({ url }) => url.split('?')[0])).toEqual([
      '/api/models/tiny/anchor/revision/main',
      ...Array(2).fill(`/api/models/tiny/anchor/tree/${folder.commit}`),
    ])
    expect(await folder.file('pytorch_model.bin')).toBeUndefined()
  })

  it('opens by its headers: few requests, few bytes, weights from the CDN', async () => {
    const folder = await open()
    const checkpoint = await openCheckpoint(folder)
    const asked = server.log.filter(({ url }) => url.includes('/resolve/'))
    expect(asked.filter(({ at }) => at === 'cdn')).toHaveLength(1)
    // config.json, the head of the weights by way of the CDN, the two tokenizer files.
    expect(asked.filter(({ at }) => at === 'hub').map(({ status }) => status)).toEqual([206, 302, 206, 206])
    // No request for what the listing does not have, such as generation_config.json.
    expect(server.log.filter(({ status }) => status === 404)).toEqual([])
    const name = checkpoint.weights[0].name
    const local = await readFile(join(zoo, 'model.safetensors'))
    const { bytes } = await checkpoint.readWeight(name)
    expect(local.includes(bytes)).toBe(true)
  })

  it('of a revision or name that is not there is refused by name', async () => {
    const missing = await expectFailure(open('tiny/anchor', { revision: 'v9' }), 'file-missing')
    expect(missing.message).toBe('tiny/anchor has no revision v9')
    const unknown = await expectFailure(open('tiny/none'), 'access-refused')
    expect(unknown.message).toContain('the name is wrong, or it is private and needs a token')
    await expectFailure(open('../etc/passwd'), 'request-invalid')
    await expectFailure(open('tiny/anchor', { revision: '../../x' }), 'request-invalid')
    const offline = open('tiny/anchor', { hubUrl: 'http://127.0.0.1:9' })
    expect((await expectFailure(offline, 'file-missing')).message).toContain('3 times in a row')
  })
})

describe('a token', () => {
  it('is asked for in words where a repository is gated', async () => {
    const without = await open('tiny/gated')
    const needed = await expectFailure(openCheckpoint(without), 'access-refused')
    expect(needed.message).toContain(`accept its conditions at ${server.url}/tiny/gated`)
    const wrong = await open('tiny/gated', { token: 'hf_of_somebody_else' })
    const refused = await expectFailure(openCheckpoint(wrong), 'access-refused')
    expect(refused.message).toContain('no access yet')
    for (const { message, stack } of [needed, refused]) expect(`${message}${stack}`).not.toMatch(/hf_/)
  })

  it('goes to the hub and never to its CDN', async () => {
    const folder = await open('tiny/gated', { token: TOKEN })
    const checkpoint = await openCheckpoint(folder)
    await checkpoint.readWeight(checkpoint.weights.at(-1)!.name)
    const at = (side: string) => server.log.filter((entry) => entry.at === side)
    expect(new Set(at('hub').map(({ authorization }) => authorization))).toEqual(new Set([`Bearer ${TOKEN}`]))
    expect(at('cdn').length).toBeGreaterThan(0)
    expect(new Set(at('cdn').map(({ authorization }) => authorization))).toEqual(new Set([undefined]))
    expect(JSON.stringify({ ...folder })).not.toContain(TOKEN)
  })

  it('does not follow a listing to another origin', async () => {
    const asked: (string | null)[] = []
    const straying = async (url: string, init?: RequestInit) => {
      asked.push(`${new URL(url).host} ${new Headers(init?.headers).get('authorization')}`)
      if (url.includes('/revision/')) return Response.json({ sha: 'a'.repeat(40), id: 'tiny/anchor' })
      const headers: HeadersInit = url.includes('elsewhere')
        ? {}
        : { Link: '<https://elsewhere.example/next>; rel="next"' }
      return Response.json([], { headers })
    }
    await hubFolder('tiny/anchor', { hubUrl: 'https://hub.example', token: TOKEN, fetch: straying })
    const mine = `hub.example Bearer ${TOKEN}`
    expect(asked).toEqual([mine, mine, 'elsewhere.example null'])
  })
})

describe('a listing', () => {
  it.each([
    ['a path that climbs', [{ type: 'file', path: '../a', size: 1 }]],
    ['an absolute path', [{ type: 'file', path: '/a', size: 1 }]],
    ['no size', [{ type: 'file', path: 'a' }]],
    ['a size that is none', [{ type: 'file', path: 'a', size: -1 }]],
  ])('with %s is refused', async (_what, tree) => {
    const fetch = async (url: string) =>
      Response.json(url.includes('/revision/') ? { sha: 'a'.repeat(40) } : tree)
    await expectFailure(hubFolder('a/b', { hubUrl: 'https://hub.example', fetch }), 'file-malformed')
  })
  it('of a hub that gives no JSON or no commit is refused', async () => {
    const fetch = async () => new Response('<html>sign in to the network</html>')
    await expectFailure(hubFolder('a/b', { hubUrl: 'https://hub.example', fetch }), 'file-missing')
    const vague = async () => Response.json({ sha: 'main' })
    await expectFailure(hubFolder('a/b', { hubUrl: 'https://hub.example', fetch: vague }), 'file-malformed')
  })
})

describe('a part of a repository', () => {
  const folder = memoryFolder(
    'many',
    new Map(
      [
        'a.gguf',
        'b-00001-of-00002.gguf',
        'b-00002-of-00002.gguf',
        'config.json',
        'in/config.json',
        'in/x.bin',
      ].map((path) => [path, path]),
    ),
  )
  it('is one GGUF model with what lies beside it, or a folder inside', async () => {
    expect(partFolder(folder, 'a.gguf').list()).toEqual([
      'a.gguf',
      'config.json',
      'in/config.json',
      'in/x.bin',
    ])
    const split = partFolder(folder, 'b-00001-of-00002.gguf')
    expect(split.list().filter((path) => path.endsWith('.gguf'))).toEqual([
      'b-00001-of-00002.gguf',
      'b-00002-of-00002.gguf',
    ])
    const inner = partFolder(folder, 'in')
    expect(inner.list()).toEqual(['config.json', 'x.bin'])
    expect(await readText((await inner.file('config.json'))!, 100)).toBe('in/config.json')
    const missing = await expectFailure(() => partFolder(folder, 'c.gguf'), 'file-missing')
    expect(missing.message).toBe(
      'many has no c.gguf; found a.gguf, b-00001-of-00002.gguf, b-00002-of-00002.gguf',
    )
    await expectFailure(() => partFolder(folder, 'on'), 'file-missing')
  })
})

describe('names', () => {
  it.each([
    ['microsoft/Phi-3.5-mini-instruct', 'microsoft/Phi-3.5-mini-instruct', 'main'],
    ['hub:a/b@v1.0', 'a/b', 'v1.0'],
    ['a/b@refs/pr/3', 'a/b', 'refs/pr/3'],
    ['https://huggingface.co/a/b/tree/dev', 'a/b', 'dev'],
    [' https://hf.co/a/b ', 'a/b', 'main'],
  ])('%j', (text, repo, revision) => expect(readHubId(text)).toEqual({ repo, revision }))
  it('may end in a file or, marked, in a folder', () => {
    expect(readHubId('a/b/c/Q4_0.gguf@v1')).toEqual({ repo: 'a/b', revision: 'v1', part: 'c/Q4_0.gguf' })
    const page = 'https://huggingface.co/owner/name/blob/main/q8/model.gguf?download=true'
    expect(readHubId(page)).toEqual({ repo: 'owner/name', revision: 'main', part: 'q8/model.gguf' })
    expect(readHubId('hub:a/b/onnx')).toEqual({ repo: 'a/b', revision: 'main', part: 'onnx' })
    expect(readHubId('hub:a/b/../c')).toBeUndefined()
  })
  it.each([
    'a',
    'a/b/c',
    'a/../b',
    'a/b@',
    'a/b@..',
    'a/b@x y',
    '/a/b',
    './a/b',
    'a//b',
    'https://huggingface.co/datasets/a/b',
  ])('%j is none', (text) => expect(readHubId(text)).toBeUndefined())
  it('of hubs are http(s) addresses without credentials', () => {
    expect(hubBase('https://mirror.example/hf/')).toBe('https://mirror.example/hf')
    for (const wrong of ['mirror', 'file:///x', 'https://user:word@mirror.example'])
      expect(() => hubBase(wrong)).toThrow(/address of a hub/)
  })
})
