// `npm test`: types, lint, unit (with kernels and models on a software GPU), build, e2e, in this order, stopping
// at the first step that fails. `npm test -- unit` or `npm test e2e` runs a subset; other arguments go to the
// test runner of that one step (`npm test unit src/core/files`). The last line is `N passed, N failed` and counts
// tests; a step that fails without a failing test (types, lint, build, a file that does not load) counts as one.
// No test may be skipped: a check that cannot run has failed.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findBrowser, findDriver, installHint } from './setup.mjs'

const root = resolve(fileURLToPath(import.meta.url), '../..')
const reports = mkdtempSync(join(tmpdir(), 'alignmerge-'))
const driver = findDriver()

const bin = {
  tsc: 'typescript/bin/tsc',
  biome: '@biomejs/biome/bin/biome',
  vitest: 'vitest/vitest.mjs',
  vite: 'vite/bin/vite.js',
  playwright: '@playwright/test/cli.js',
}

function tool(name, args, env = {}) {
  const script = join(root, 'node_modules', bin[name])
  const { status } = spawnSync(process.execPath, [script, ...args], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  })
  return status === 0
}

function report(name) {
  try {
    return JSON.parse(readFileSync(join(reports, name), 'utf8'))
  } catch {
    return undefined // the runner died before it could write one
  }
}

const none = { passed: 0, failed: 0, skipped: 0 }

const steps = {
  types: () => ({ isDone: tool('tsc', ['-p', '.']) && tool('tsc', ['-p', 'src/core']) }),
  lint: () => ({ isDone: tool('biome', ['check', '.']) }),
  unit: (args) => {
    if (!driver) return { isDone: false, why: installHint }
    const output = join(reports, 'unit.json')
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${output}`]
    const isDone = tool('vitest', ['run', ...reporters, ...args], driver.env)
    const counts = report('unit.json')
    if (!counts) return { isDone: false }
    return {
      isDone,
      tests: {
        passed: counts.numPassedTests,
        failed: counts.numFailedTests,
        skipped: counts.numPendingTests + counts.numTodoTests,
      },
    }
  },
  build: () => ({ isDone: tool('vite', ['build', '--logLevel', 'warn']) }),
  e2e: (args) => {
    if (!findBrowser()) return { isDone: false, why: installHint }
    const isDone = tool('playwright', ['test', ...args], { ALIGNMERGE_E2E_JSON: join(reports, 'e2e.json') })
    const stats = report('e2e.json')?.stats
    if (!stats) return { isDone: false }
    // A test that passes only when repeated has failed once.
    return {
      isDone,
      tests: { passed: stats.expected, failed: stats.unexpected + stats.flaky, skipped: stats.skipped },
    }
  },
}

const given = process.argv.slice(2)
const named = given.filter((word) => word in steps)
const passedOn = given.filter((word) => !(word in steps))
if (passedOn.length > 0 && named.length !== 1) {
  console.error(`usage: npm test [-- ${Object.keys(steps).join(' | ')} [arguments of that step's runner]]`)
  process.exit(2)
}
const chosen =
  named.length === 0 ? Object.keys(steps) : Object.keys(steps).filter((name) => named.includes(name))

const total = { passed: 0, failed: 0 }
const times = []
for (const name of chosen) {
  const start = performance.now()
  const { isDone, tests, why } = steps[name](passedOn)
  const { passed, failed, skipped } = tests ?? none
  const reasons = []
  if (why) reasons.push(why)
  if (skipped > 0) reasons.push(`${skipped} skipped`)
  if (tests && passed + failed === 0) reasons.push('no test ran')
  const isGood = isDone && failed === 0 && reasons.length === 0
  total.passed += passed
  total.failed += isGood ? 0 : Math.max(failed, 1)
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  times.push(`${name} ${seconds} s`)
  console.log(`${isGood ? '✓' : '✗'} ${name}, ${[`${seconds} s`, ...reasons].join(', ')}\n`)
  if (!isGood) {
    process.exitCode = 1
    break
  }
}
rmSync(reports, { recursive: true })
console.log(times.join(' · '))
console.log(`${total.passed} passed, ${total.failed} failed`)
