import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { root, tarEntries } from './setup.mjs'

it('reads the regular files of an archive and refuses names that climb out', () => {
  const entry = (name: string, text: string, type = '0') => {
    const block = Buffer.alloc(512 + Math.ceil(text.length / 512) * 512)
    block.write(name, 0)
    block.write('0000755\0', 100)
    block.write(`${text.length.toString(8).padStart(11, '0')}\0`, 124)
    block.write(type, 156)
    block.write(text, 512)
    return block
  }
  const archive = Buffer.concat([
    entry('lib/', '', '5'),
    entry('lib/a.so', 'x'.repeat(700)),
    entry('../b', 'climbs'),
    entry('c', ''),
    Buffer.alloc(1024),
  ])
  const seen = [...tarEntries(archive)].map(({ name, mode, bytes }) => [name, mode, bytes.length])
  expect(seen).toEqual([
    ['lib/a.so', 0o755, 700],
    ['c', 0o755, 0],
  ])
})

it('a command that is misused says what was found and how it is used', () => {
  const told = spawnSync(
    process.execPath,
    [join(root, 'scripts/run.mjs'), 'zoo/score.ts', '--famly', 'llama'],
    {
      encoding: 'utf8',
    },
  )
  expect(told.status).toBe(2)
  expect(told.stderr).toContain("Unknown option '--famly'")
  expect(told.stderr).toContain('npm run zoo:score [-- --out FOLDER] [--family FAMILY]')
  expect(told.stderr).not.toMatch(/^ +at /m)
})

// The package serves x64 Linux alone; elsewhere there is nothing to check.
if (process.platform === 'linux' && process.arch === 'x64')
  it('opens a device with the driver and loader of the npm package alone', () => {
    const folder = mkdtempSync(join(tmpdir(), 'alignmerge-'))
    const entry = join(folder, 'entry.ts')
    const answer = join(folder, 'answer.json')
    writeFileSync(
      entry,
      `import { writeFileSync } from 'node:fs'
      import { nodeGpu } from '${join(root, 'src/cli/nodeGpu.ts')}'
      export async function main(rest: string[]) {
        const adapter = await (await nodeGpu()).requestAdapter()
        const { VK_DRIVER_FILES: driver } = process.env
        writeFileSync(rest[0], JSON.stringify({ rest, driver, architecture: adapter!.info.architecture }))
        return 0
      }`,
    )
    const { VK_DRIVER_FILES, VK_ICD_FILENAMES, LD_LIBRARY_PATH, ...environment } = process.env
    execFileSync(process.execPath, [join(root, 'scripts/run.mjs'), entry, answer, '--flag'], {
      env: { ...environment, ALIGNMERGE_IGNORE_SYSTEM: '1' },
      stdio: 'inherit',
    })
    const seen = JSON.parse(readFileSync(answer, 'utf8'))
    rmSync(folder, { recursive: true })
    expect(seen.rest.slice(1)).toEqual(['--flag'])
    expect(seen.driver).toContain(join(root, 'node_modules/.cache/alignmerge'))
    expect(seen.architecture).toBe('swiftshader')
  })
