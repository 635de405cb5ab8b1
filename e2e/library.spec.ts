// The library on the built page, against a hub on this machine whose files come from another origin: adding, gated
// models, keeping, a killed tab, wrong bytes, no room, two tabs, folders. Storage needs a profile on the disk.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, chromium, expect, type Locator, type Page } from '@playwright/test'
import { type HubServer, startHubServer } from '../src/testing/hubServer.ts'
import { header, linkStart, test } from './studio.ts'

const RANGE_BYTES = 8 * 2 ** 20
const CONNECTIONS = 4
const TOKEN = 'hf_secretsecretsecret'
const zoo = join(import.meta.dirname, '../public/zoo/safety')

/** The weights with a tensor at their end that no model uses, so that they take several ranges. */
function padded(bytes: Uint8Array, padding: number): Uint8Array {
  const headerBytes = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true))
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + headerBytes)))
  const end = bytes.length - 8 - headerBytes
  header.padding = { dtype: 'U8', shape: [padding], data_offsets: [end, end + padding] }
  const text = new TextEncoder().encode(JSON.stringify(header))
  const filled = text.length + ((8 - (text.length % 8)) % 8)
  const out = new Uint8Array(8 + filled + end + padding).fill(32, 8, 8 + filled)
  new DataView(out.buffer).setBigUint64(0, BigInt(filled), true)
  out.set(text, 8)
  out.set(bytes.subarray(8 + headerBytes), 8 + filled)
  for (let i = out.length - padding; i < out.length; i++) out[i] = (i * 2_654_435_761) >>> 24
  return out
}

const files = new Map<string, Uint8Array>(
  readdirSync(zoo).map((name): [string, Uint8Array] => [name, readFileSync(join(zoo, name))]),
)
const weights = padded(files.get('model.safetensors')!, 9 * RANGE_BYTES)
const large = new Map([...files, ['model.safetensors', weights]])
const inGit = (path: string) => !path.endsWith('.safetensors')

let server: HubServer
let context: BrowserContext
let profile: string

test.beforeAll(async () => {
  server = await startHubServer(
    new Map([
      ['tiny/safety', { files, inGit, card: { license: 'apache-2.0' } }],
      ['tiny/gated', { files, inGit, gatedFor: [TOKEN] }],
      ['tiny/large', { files: large, inGit }],
      ['tiny/damaged', { files: large, inGit }],
      ['tiny/promised', { files: large, inGit }],
    ]),
  )
})
test.afterAll(() => server.close())
test.beforeEach(async ({ launchOptions, baseURL, viewport }) => {
  server.log.length = 0
  server.misbehaviour.clear()
  profile = mkdtempSync(join(tmpdir(), 'profile-'))
  context = await chromium.launchPersistentContext(profile, { ...launchOptions, baseURL: baseURL!, viewport })
})
test.afterEach(async () => {
  await context.close()
  rmSync(profile, { recursive: true, force: true })
})

async function openLibrary(): Promise<Page> {
  const page = await context.newPage()
  await page.goto('./')
  await page.getByRole('button', { name: 'Library' }).click()
  await expect(page.getByText(/used, .* free/)).toBeVisible()
  // What ships with the page is not measured anew, so nothing takes the time of what is looked at here.
  await expect(header(page).getByText('Everything is measured')).toBeVisible({ timeout: 60_000 })
  return page
}
async function add(page: Page, text: string, token = ''): Promise<void> {
  await page.getByLabel('Repository or address').fill(text)
  await page.getByLabel('Hub', { exact: true }).fill(server.url)
  await page.getByLabel('Access token').fill(token)
  await page.getByRole('button', { name: 'Add', exact: true }).click()
}
const rowOf = (page: Page, name: string): Locator => page.locator('.library-row', { hasText: name })
/** Whole bytes of the weights handed out by the CDN. */
const sentOf = (repo: string) =>
  server.log
    .filter(({ at, url, range }) => at === 'cdn' && url.includes(repo) && range !== 'bytes=0-65535')
    .reduce((sum, { sent }) => sum + sent, 0)

test('a repository is listed, opened by ranges through the redirect, and named by a link that asks first', async () => {
  const page = await openLibrary()
  await add(page, 'tiny/safety@main')
  const row = rowOf(page, 'tiny/safety')
  await expect(row).toContainText('apache-2.0')
  await expect(row).toContainText('streamed from there')
  await expect(row).toContainText(server.commitOf('tiny/safety').slice(0, 7))
  const statuses = server.log
    .filter(({ method }) => method === 'GET')
    .map(({ at, status }) => `${at} ${status}`)
  expect(statuses).toContain('hub 302')
  expect(statuses).toContain('cdn 206')
  const bytes = server.log.reduce((sum, { sent }) => sum + sent, 0)
  console.log(`added with ${statuses.length} requests, redirects included, and ${bytes} bytes of files`)
  expect(server.log.length).toBeLessThan(12)
  await expect(row.getByRole('button', { name: /^Use / })).toBeEnabled({ timeout: 60_000 })
  await row.getByRole('button', { name: /^Use / }).click()
  await expect(row).toContainText('in the studio', { timeout: 60_000 })
  await page.getByRole('button', { name: 'Studio', exact: true }).click()
  const before = page.url()
  await page.getByRole('button', { name: 'Add as expert' }).click()
  await expect(page.locator('select', { hasText: 'safety' }).first()).toBeAttached()
  await expect(page.getByRole('combobox', { name: 'Expert 3' })).toBeAttached()
  await expect.poll(() => page.url()).not.toBe(before)
  await page.waitForTimeout(500)
  expect(page.url()).toContain(linkStart)
  const link = page.url()
  await page.close()
  server.log.length = 0
  const other = await context.newPage()
  await other.goto(link)
  const question = other.getByRole('alertdialog')
  await expect(question).toContainText('tiny/safety', { timeout: 60_000 })
  expect(server.log).toEqual([])
  await question.getByRole('button', { name: 'Fetch from these hosts' }).click()
  await expect(other.getByRole('combobox', { name: 'Expert 3' })).toContainText('safety', { timeout: 60_000 })
  await expect.poll(() => server.log.length).toBeGreaterThan(0)
})

test('a gated repository says what to do; its token reaches the hub alone and is stored nowhere', async () => {
  const page = await openLibrary()
  await add(page, 'tiny/gated')
  await expect(page.getByRole('alert')).toContainText('tiny/gated is gated: accept its conditions at')
  await add(page, 'tiny/gated', 'hf_of_somebody_else')
  await expect(page.getByRole('alert')).toContainText('no access yet')
  await add(page, 'tiny/gated', TOKEN)
  const row = rowOf(page, 'tiny/gated')
  await expect(row).toContainText('streamed from there')
  await expect(page.getByLabel('Access token')).toHaveValue('')
  await row.getByRole('button', { name: 'Keep tiny/gated' }).click()
  await expect(row).toContainText('kept', { timeout: 60_000 })
  const seen = server.log.filter(({ authorization }) => authorization !== undefined)
  expect(new Set(seen.map(({ at }) => at))).toEqual(new Set(['hub']))
  expect(server.log.some(({ at, status }) => at === 'cdn' && status === 206)).toBe(true)
  const kept = await page.evaluate(async () => {
    const texts = [JSON.stringify({ ...localStorage }), JSON.stringify({ ...sessionStorage }), location.href]
    const walk = async (folder: FileSystemDirectoryHandle): Promise<void> => {
      const entries = folder as unknown as AsyncIterable<[string, FileSystemHandle]>
      for await (const [name, handle] of entries) {
        texts.push(name)
        if (handle.kind === 'directory') await walk(handle as FileSystemDirectoryHandle)
        else if (/json|journal/.test(name))
          texts.push(await (await (handle as FileSystemFileHandle).getFile()).text())
      }
    }
    await walk(await navigator.storage.getDirectory())
    return texts.join('\n')
  })
  expect(kept).toContain('tiny/gated')
  expect(kept).not.toContain('hf_')
  expect(await page.content()).not.toContain(TOKEN)
})

test('a tab killed in the middle of a download goes on at the next start', async () => {
  const page = await openLibrary()
  await add(page, 'tiny/large')
  const row = rowOf(page, 'tiny/large')
  // Heads and four or five ranges come whole, as many heads as were asked for; of every further range half, so that the
  // download cannot be faster than the kill.
  server.misbehaviour.set('tiny/large model.safetensors', { since: 8, hangsAfter: RANGE_BYTES / 2 })
  await row.getByRole('button', { name: 'Keep tiny/large' }).click()
  await expect(row.locator('.library-speed')).toContainText('/s', { timeout: 30_000 })
  await expect
    .poll(async () => Number(/(\d+) %/.exec(await row.innerText())?.[1] ?? 0), {
      timeout: 60_000,
      intervals: [50],
    })
    .toBeGreaterThan(60)
  // The renderer dies with its workers: nothing of ours runs any more.
  await page.goto('chrome://crash').catch(() => {})
  await page.close()
  server.misbehaviour.clear()
  await expect.poll(() => server.log.every(({ status }) => status !== 0)).toBe(true)
  const before = sentOf('tiny/large')
  expect(before).toBeGreaterThan(4 * RANGE_BYTES)
  expect(before).toBeLessThan(weights.length)

  const again = await openLibrary()
  const resumed = rowOf(again, 'tiny/large')
  await expect(resumed).toContainText(/partly here, \d\d %/)
  server.log.length = 0
  await resumed.getByRole('button', { name: 'Resume tiny/large' }).click()
  await expect(resumed.locator('.badge')).toHaveText('kept', { timeout: 60_000 })
  const after = sentOf('tiny/large')
  const twice = before + after - weights.length
  console.log(
    `killed after ${before} bytes of ${weights.length}; resumed with ${after}; ${twice} bytes were fetched twice (${(twice / RANGE_BYTES).toFixed(2)} ranges, at most ${CONNECTIONS})`,
  )
  expect(after).toBeLessThan(weights.length - 2 * RANGE_BYTES)
  expect(twice).toBeLessThanOrEqual(CONNECTIONS * RANGE_BYTES)
  // What is kept is the model: it opens without the network.
  server.log.length = 0
  await resumed.getByRole('button', { name: /^Use / }).click()
  await expect(resumed).toContainText('in the studio', { timeout: 60_000 })
  expect(server.log).toEqual([])
  const room = await again.locator('.room').innerText()
  await resumed.getByRole('button', { name: 'Delete tiny/large' }).click()
  await resumed.getByRole('button', { name: 'Really delete tiny/large' }).click()
  await expect(resumed).toContainText('streamed from there')
  await expect(again.locator('.room')).not.toHaveText(room)
})

test('several models arrive at once; bytes that are not the promised ones are discarded, and said so', async () => {
  const page = await openLibrary()
  for (const name of ['tiny/safety', 'tiny/large', 'tiny/damaged']) {
    await add(page, name)
    await expect(rowOf(page, name)).toBeVisible()
  }
  // Two of them share their large file.
  for (const name of ['tiny/large', 'tiny/damaged', 'tiny/safety'])
    await page.getByRole('button', { name: `Keep ${name}` }).click()
  await expect(page.locator('.library-row .badge.is-kept')).toHaveCount(3, { timeout: 90_000 })
  await expect(page.getByRole('alert')).toHaveCount(0)
  expect(sentOf('model.safetensors')).toBeLessThan(weights.length + 2 * RANGE_BYTES)

  const promisedHash = '0'.repeat(64)
  server.misbehaviour.set('tiny/promised model.safetensors', { promisedHash })
  await add(page, 'tiny/promised')
  const row = rowOf(page, 'tiny/promised')
  await row.getByRole('button', { name: 'Keep tiny/promised' }).click()
  await expect(row.getByRole('alert')).toContainText(
    `expected SHA-256 ${'0'.repeat(16)}…, received SHA-256 `,
    {
      timeout: 60_000,
    },
  )
  await expect(row.locator('.badge')).toHaveText(/partly here, \d %/)
  await expect(row.getByRole('button', { name: 'Resume tiny/promised' })).toBeVisible()
})

test('without room it says what is needed and free; one tab fetches at a time', async () => {
  const page = await openLibrary()
  const session = await context.newCDPSession(page)
  const origin = new URL(page.url()).origin
  await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 20e6 })
  await add(page, 'tiny/large')
  const row = rowOf(page, 'tiny/large')
  await row.getByRole('button', { name: 'Keep tiny/large' }).click()
  await expect(row.getByRole('alert')).toContainText(
    /tiny\/large needs 7\d\.\d MB, this browser (has [\d.]+ MB free|promised [\d.]+ GB and gave less)/,
  )
  await expect(row.locator('.badge')).toHaveText(/streamed from there|partly here, 0 %/)
  await session.send('Storage.overrideQuotaForOrigin', { origin })

  server.misbehaviour.set('tiny/large model.safetensors', { hangsAfter: RANGE_BYTES / 2 })
  await row.getByRole('button', { name: /^(Keep|Resume) tiny\/large/ }).click()
  await expect(row.locator('.library-speed')).toContainText('/s', { timeout: 30_000 })
  const other = await openLibrary()
  const same = rowOf(other, 'tiny/large')
  await same.getByRole('button', { name: 'Resume tiny/large' }).click()
  await expect(same.getByRole('alert')).toContainText('is being fetched in another tab')
  await row.getByRole('button', { name: 'Pause tiny/large' }).click()
  await expect(row.locator('.badge')).toHaveText(/partly here/)
  server.misbehaviour.clear()
  await same.getByRole('button', { name: 'Resume tiny/large' }).click()
  await expect(same.locator('.badge')).toHaveText('kept', { timeout: 60_000 })
  // The first tab hears of it.
  await expect(row.locator('.badge')).toHaveText('kept')
})

test('a picked folder stays where it is and is asked for again at the next visit', async () => {
  await context.addInitScript(() => {
    // Pickers cannot be answered without a person; handles of the private file system are of the same kind.
    Object.assign(globalThis, {
      showDirectoryPicker: async () => {
        const root = await navigator.storage.getDirectory()
        return root.getDirectoryHandle('picked', { create: true })
      },
    })
  })
  const page = await openLibrary()
  await page.evaluate(
    async (contents) => {
      const root = await navigator.storage.getDirectory()
      const folder = await root.getDirectoryHandle('picked', { create: true })
      for (const [name, base64] of contents) {
        const file = await folder.getFileHandle(name, { create: true })
        const writable = await file.createWritable()
        await writable.write(Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)))
        await writable.close()
      }
    },
    [...files].map(([name, bytes]): [string, string] => [name, Buffer.from(bytes).toString('base64')]),
  )
  await page.getByRole('button', { name: 'choose a folder' }).click()
  const row = rowOf(page, 'picked')
  await expect(row).toContainText('read from its folder')
  await row.getByRole('button', { name: 'Use picked in the studio' }).click()
  await expect(row).toContainText('in the studio', { timeout: 60_000 })
  await page.reload()
  await page.getByRole('button', { name: 'Library' }).click()
  await page.getByRole('button', { name: 'Ask to read it again' }).click()
  await expect(rowOf(page, 'picked')).toContainText('read from its folder')
  await rowOf(page, 'picked').getByRole('button', { name: 'Keep picked' }).click()
  await expect(rowOf(page, 'picked').locator('.badge').first()).toHaveText('kept')
})
