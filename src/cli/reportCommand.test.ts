// The options of the commands that write a page with its numbers.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { main as after } from './after.ts'
import {
  type ReportCommand,
  readReportArguments,
  reportPaths,
  usageOf,
  writeReport,
} from './reportCommand.ts'
import { main as results } from './results.ts'
import { main as weights } from './weights.ts'

const seeded: ReportCommand = { name: 'page', out: 'docs/page.md', takes: ['seed'] }
const full: ReportCommand = { ...seeded, takes: ['seeds', 'families'] }
const defaults = {
  ...{ zoo: 'public/zoo', out: 'docs/page.md', seed: 1, seeds: 3 },
  ...{ isQuick: false, isFresh: false, isRender: false, isFamilies: false },
}

describe('options of a report', () => {
  it('are read, all of them', () => {
    expect(readReportArguments([], seeded)).toEqual(defaults)
    const many = ['--quick', '--seed', '7', '--out', 'x.md', '--zoo=z', '--fresh', '--render']
    expect(readReportArguments(many, seeded)).toEqual({
      ...defaults,
      ...{ zoo: 'z', out: 'x.md', seed: 7, isQuick: true, isFresh: true, isRender: true },
    })
    expect(readReportArguments(['--families', '--seeds', '2'], full)).toEqual({
      ...defaults,
      ...{ seeds: 2, isFamilies: true },
    })
  })

  it.each<[string[], ReportCommand, RegExp]>([
    [['--seed', 'x'], seeded, /^--seed: found x, expected a whole number$/],
    [['--seeds', '0'], full, /^--seeds: found 0, expected 1 to 9$/],
    [['--out', 'x.txt'], seeded, /^--out: found x\.txt, expected a file that ends in \.md$/],
    [['--what', '1'], seeded, /--what/],
    [['--zoo'], seeded, /--zoo/],
    [['stray'], seeded, /stray/],
    [['--seeds', '2'], seeded, /^Unknown option '--seeds'$/],
    [['--seed=2'], full, /^Unknown option '--seed'$/],
    [['--families'], seeded, /^Unknown option '--families'$/],
  ])('%j is refused by name', (args, command, reason) => {
    expect(readReportArguments(args, command)).toMatch(reason)
  })

  it('are named in the line that says how it is used, by every command', async () => {
    expect(usageOf(full)).toBe(
      'usage: npm run page -- [--zoo FOLDER] [--out FILE.md] [--seeds N] [--families] [--quick] [--fresh] [--render]',
    )
    const said = vi.spyOn(console, 'error').mockImplementation(() => {})
    for (const main of [after, results, weights]) expect(await main(['--what'])).toBe(2)
    expect(said.mock.calls.map(([line]) => String(line).match(/npm run (\w+)/)?.[1])).toEqual([
      'after',
      'results',
      'weights',
    ])
    said.mockRestore()
  })
})

it('a page and its numbers lie side by side', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'report-'))
  const paths = reportPaths({ zoo: 'public/zoo', out: join(folder, 'deep/page.md') })
  const said = vi.spyOn(console, 'log').mockImplementation(() => {})
  await writeReport(paths, '# Page\n', '{"a":1}', 2)
  said.mockRestore()
  expect(await readFile(join(folder, 'deep/page.md'), 'utf8')).toBe('# Page\n')
  expect(await readFile(join(folder, 'deep/page.json'), 'utf8')).toBe('{"a":1}\n')
  await rm(folder, { recursive: true })
})
