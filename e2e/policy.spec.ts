// The policy of the site: what does not belong to it is not run, what belongs to it is not hindered, and nobody else
// hears of a visit.

import { expect, type Page } from '@playwright/test'
import { header, linkOf, measured, mergeColumn, stopBackground, test } from './studio.ts'

const foreign = 'https://foreign.example/script.js'

/** Opens the page with scripts written into it, as a hole in some template would; gives what got through. */
async function openInjected(
  page: Page,
  keep: 'header' | 'meta',
): Promise<{ ran: string[]; asked: string[] }> {
  const asked: string[] = []
  // Whoever asked it would be answered, and its script would say so.
  await page.route('https://foreign.example/**', (route) => {
    asked.push(route.request().url())
    return route.fulfill({ contentType: 'text/javascript', body: 'window.ran = ["foreign"]' })
  })
  await page.route(/\/(\?.*)?$/, async (route) => {
    const response = await route.fetch()
    const { 'content-security-policy': policy, ...others } = response.headers()
    const html = await response.text()
    expect(policy).toContain("script-src 'self' 'wasm-unsafe-eval';")
    expect(html).toContain('http-equiv="Content-Security-Policy"')
    const body = (
      keep === 'meta' ? html : html.replace(/<meta http-equiv="Content-Security-Policy"[^>]*>/, '')
    )
      .replace('<div id="root">', '<script>window.ran = ["inline"]</script><div id="root">')
      .replace(
        '</body>',
        `<script src="${foreign}"></script><img src="x" onerror="window.ran = ['handler']"></body>`,
      )
    await route.fulfill({
      body,
      headers: keep === 'meta' ? others : { ...others, 'content-security-policy': policy! },
    })
  })
  await page.goto('./')
  await expect(header(page)).toBeVisible()
  const ran = await page.evaluate(async () => {
    const found = window as unknown as { ran?: string[] }
    const attempts: Record<string, () => unknown> = {
      // biome-ignore lint/security/noGlobalEval: that it cannot be called is what is tested
      eval: () => eval('1 + 1'),
      function: () => new Function('return 1')(),
      markup: () => {
        document.body.insertAdjacentHTML('beforeend', '<p>markup</p>')
      },
      worker: () => new Worker('data:text/javascript,1'),
      foreignWorker: () => new Worker('https://foreign.example/worker.js'),
      base: () => {
        const base = document.createElement('base')
        base.href = 'https://foreign.example/'
        document.head.append(base)
        if (!document.baseURI.startsWith('https://foreign.example/')) throw new Error('ignored')
      },
    }
    const passed = found.ran ?? []
    // From a timer: what the debugger itself evaluates is exempt from the policy.
    for (const [name, attempt] of Object.entries(attempts))
      await new Promise<void>((done) =>
        setTimeout(() => {
          try {
            attempt()
            passed.push(name)
          } catch {
            // refused, as it should be
          }
          done()
        }),
      )
    await new Promise<void>((done) =>
      setTimeout(() => {
        import(`${'https://foreign.example'}/module.js`).then(
          () => passed.push('module'),
          () => {},
        )
        setTimeout(done, 200)
      }),
    )
    return passed
  })
  return { ran, asked }
}

for (const keep of ['header', 'meta'] as const)
  test(`scripts written into the page are not run: ${keep}`, async ({ page }) => {
    expect(await openInjected(page, keep)).toEqual({ ran: [], asked: [] })
  })

test('a visit to all pages breaks no rule and asks nobody else', async ({ page, baseURL }) => {
  const problems: string[] = []
  const hosts = new Set<string>()
  page.on('request', (request) => {
    if (!/^(data|blob):/.test(request.url())) hosts.add(new URL(request.url()).origin)
  })
  page.on('pageerror', (error) => problems.push(error.message))
  // Workers report here too.
  page.on('console', (message) => {
    if (/Content Security Policy|Trusted ?(Type|Script|HTML)/i.test(message.text()))
      problems.push(message.text())
  })
  await page.goto(linkOf())
  await measured(page, 'Own directions', await mergeColumn(page))
  await stopBackground(page)
  // onnxruntime-web compiles its WebAssembly and answers.
  await page.getByRole('button', { name: 'sort 7 1 4 3' }).click()
  await expect(page.locator('.answer footer').last()).toContainText('onnxruntime-web', { timeout: 60_000 })
  const tabs = page.getByRole('navigation', { name: 'Pages' }).getByRole('button')
  for (const tab of await tabs.all()) {
    await tab.click()
    await expect(page.getByRole('main')).toBeVisible()
    await page.waitForLoadState('networkidle')
  }
  await page.setViewportSize({ width: 390, height: 800 })
  await page.waitForTimeout(300)
  expect(problems).toEqual([])
  expect([...hosts]).toEqual([new URL(baseURL!).origin])
})
