import { describe, expect, it } from 'vitest'
import { cutRange, parseRange, withHeaders } from './answer.ts'
import { fileAt, isOurFolder, type SiteFile } from './files.ts'

const root = 'https://host.example/a/b/'
const files: SiteFile[] = [
  'index.html',
  'assets/index-1.js',
  'docs/index.html',
  'zoo/anchor/config.json',
].map((path) => ({ path, bytes: 1, hash: '00', isShell: false }))

describe('addresses', () => {
  it.each([
    ['', 'index.html'],
    ['?embed', 'index.html'],
    ['index.html#v3.x', 'index.html'],
    ['docs/', 'docs/index.html'],
    ['docs/?x#y', 'docs/index.html'],
    ['zoo/anchor/config%2Ejson', 'zoo/anchor/config.json'],
    ['zoo/anchor/none.json', undefined],
    ['docs', undefined],
    ['zoo/%E0', undefined],
    ['../index.html', undefined],
  ])('%j is %j', (path, expected) => {
    expect(fileAt(root, root + path, files)?.path).toBe(expected)
  })

  it('of other sites and paths are not ours', () => {
    expect(fileAt(root, 'https://host.example/a/index.html', files)).toBeUndefined()
    expect(fileAt(root, 'https://other.example/a/b/index.html', files)).toBeUndefined()
    expect(isOurFolder(root, 'https://host.example/zoo/anchor/none.json', files)).toBe(false)
    expect(isOurFolder(root, `${root}models/config.json`, files)).toBe(false)
    expect(isOurFolder(root, `${root}zoo`, files)).toBe(false)
    expect(isOurFolder(root, `${root}zoo/anchor/none.json`, files)).toBe(true)
  })
})

describe('ranges', () => {
  it.each([
    [null, 'whole'],
    ['bytes=0-0', { first: 0, last: 0 }],
    ['bytes=5-', { first: 5, last: 9 }],
    ['bytes=5-99', { first: 5, last: 9 }],
    ['bytes=-3', { first: 7, last: 9 }],
    ['bytes=-99', { first: 0, last: 9 }],
    ['bytes=-0', 'none'],
    ['bytes=10-', 'none'],
    ['bytes=6-5', 'none'],
    ['bytes=-', 'whole'],
    ['bytes=0-1,4-5', 'whole'],
    ['lines=1-2', 'whole'],
  ])('%j of ten bytes is %j', (header, expected) => {
    expect(parseRange(header, 10)).toEqual(expected)
  })

  it('are cut as a server would', async () => {
    const stored = () =>
      new Response(new Uint8Array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]), {
        headers: { 'Content-Type': 'application/x-test' },
      })
    const part = await cutRange(stored(), 'bytes=3-5')
    expect(part.status).toBe(206)
    expect(part.headers.get('Content-Range')).toBe('bytes 3-5/10')
    expect(part.headers.get('Content-Length')).toBe('3')
    expect(part.headers.get('Content-Type')).toBe('application/x-test')
    expect([...new Uint8Array(await part.arrayBuffer())]).toEqual([3, 4, 5])
    const past = await cutRange(stored(), 'bytes=10-')
    expect([past.status, past.headers.get('Content-Range')]).toEqual([416, 'bytes */10'])
    expect((await (await cutRange(stored(), null)).arrayBuffer()).byteLength).toBe(10)
  })
})

it('headers of the site replace those of the host; answers without a body stay so', async () => {
  const added = { 'Cross-Origin-Opener-Policy': 'same-origin' }
  const page = withHeaders(
    new Response('text', { headers: { 'Cross-Origin-Opener-Policy': 'unsafe-none', 'X-Other': '1' } }),
    added,
  )
  expect(page.headers.get('Cross-Origin-Opener-Policy')).toBe('same-origin')
  expect(page.headers.get('X-Other')).toBe('1')
  expect(await page.text()).toBe('text')
  expect(withHeaders(new Response(null, { status: 304 }), added).status).toBe(304)
  const opaque = Response.error()
  expect(withHeaders(opaque, added)).toBe(opaque)
})
