import { afterEach, describe, expect, it } from 'vitest'
import { type HubServer, startHubServer } from '../../testing/hubServer.ts'
import type { Writers } from '../../testing/hubWrites.ts'
import { pushFolder } from './pushFolder.ts'

const TOKEN = 'hf_writes'
let server: HubServer
afterEach(() => server.close())

async function start(writers: Partial<Writers> = {}): Promise<void> {
  const owners = new Map([
    [TOKEN, 'me'],
    ['hf_other', 'other'],
  ])
  server = await startHubServer(new Map(), { writers: { owners, ...writers } })
}
const weights = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 31) % 251)
const files = () => [
  { path: 'config.json', content: new Blob(['{"a": 1}\n']) },
  { path: 'README.md', content: new Blob(['# merge\n']) },
  { path: 'model.safetensors', content: new Blob([weights]) },
]
const target = (more = {}) => ({ repo: 'me/merge', hub: server.url, token: TOKEN, isPrivate: true, ...more })
const push = (more = {}, options = {}) => pushFolder(files(), target(more), { title: 'a merge', ...options })

describe('a folder pushed to a hub', () => {
  it('lies there as it was, in one commit, in a repository that its owner alone sees', async () => {
    await start()
    const seen: number[] = []
    const pushed = await push({}, { onProgress: (done: number, total: number) => seen.push(done / total) })
    const repo = server.repos.get('me/merge')!
    expect(pushed).toEqual({
      url: `${server.url}/me/merge`,
      commit: server.commitOf('me/merge'),
      isUpdate: false,
    })
    expect(repo.isPrivate).toBe(true)
    expect([...repo.files.keys()].sort()).toEqual(['README.md', 'config.json', 'model.safetensors'])
    expect(Buffer.compare(repo.files.get('model.safetensors')!, weights)).toBe(0)
    expect(new TextDecoder().decode(repo.files.get('config.json'))).toBe('{"a": 1}\n')
    expect(seen.at(-1)).toBeGreaterThan(0.99)
    // Large files go to the storage without the token.
    const uploads = server.log.filter(({ method }) => method === 'PUT')
    expect(uploads).toHaveLength(1)
    expect(uploads[0]!.authorization).toBeUndefined()
  })

  it('is a new commit where the repository is there', async () => {
    await start()
    const first = await push()
    const again = await pushFolder([{ path: 'README.md', content: new Blob(['other']) }], target(), {
      title: 'two',
    })
    expect(again.isUpdate).toBe(true)
    expect(again.commit).not.toBe(first.commit)
    expect(server.repos.get('me/merge')!.files.size).toBe(3)
  })

  it.each([
    ['a wrong token', { token: 'hf_wrong' }, 'access-refused', 'does not accept this token'],
    ['somebody else’s repository', { token: 'hf_other' }, 'access-refused', 'right to write'],
    ['no token', { token: ' ' }, 'access-refused', 'token'],
    ['a name that is none', { repo: '../x' }, 'request-invalid', 'owner/name'],
    ['an address that is none', { hub: 'javascript:alert(1)' }, 'request-invalid', 'hub'],
    ['a hub that is not there', { hub: 'http://127.0.0.1:9' }, 'file-missing', 'no answer'],
  ])('is refused with %s, in words that do not hold the token', async (_name, more, code, words) => {
    await start()
    const error = await push(more).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code, message: expect.stringContaining(words) })
    expect(JSON.stringify(error) + String(error)).not.toContain('hf_')
    expect(server.repos.get('me/merge')?.files.size ?? 0).toBe(0)
  })

  it('commits nothing when it is stopped on the way', async () => {
    const controller = new AbortController()
    await start({ onUpload: () => controller.abort() })
    await expect(push({}, { signal: controller.signal })).rejects.toMatchObject({ code: 'cancelled' })
    expect(server.repos.get('me/merge')!.files.size).toBe(0)
    expect(server.log.some(({ url }) => url.includes('/commit/'))).toBe(false)
  })
})
