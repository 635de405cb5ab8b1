// Runs the command line: `runCli` as a user does, in a process of its own; `runHere` in this one, which is quicker and
// does for what does not depend on how it is started. Not part of the product.

import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { main } from './main.ts'

const BIN = resolve(import.meta.dirname, '../../../bin/alignmerge.mjs')

export interface Outcome {
  code: number | null
  stdout: string
  stderr: string
  /** parsed standard output */
  json(): unknown
}

export interface RunOptions {
  cwd?: string
  /** called with what the process has written to standard error so far; true kills it */
  killWhen?: (stderr: string) => boolean
}

export function runCli(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, [BIN, ...args], {
      cwd: options.cwd ?? tmpdir(),
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, so that the whole tree can be killed.
      detached: true,
    })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString()
      if (options.killWhen?.(stderr) && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    })
    child.on('error', fail)
    child.on('close', (code) => done({ code, stdout, stderr, json: () => JSON.parse(stdout) }))
  })
}

export async function runHere(args: readonly string[]): Promise<Outcome> {
  let stdout = ''
  let stderr = ''
  const code = await main(args, {
    print: (text) => {
      stdout += text.endsWith('\n') ? text : `${text}\n`
    },
    note: (text) => {
      stderr += `${text}\n`
    },
  })
  return { code, stdout, stderr, json: () => JSON.parse(stdout) }
}

/** A temporary folder with files by path; removed by `remove`. */
export async function temporary(files: ReadonlyMap<string, Uint8Array | string> = new Map()): Promise<{
  path: string
  write(name: string, content: Uint8Array | string): Promise<string>
  remove(): Promise<void>
}> {
  const path = await mkdtemp(join(tmpdir(), 'alignmerge-cli-'))
  const write = async (name: string, content: Uint8Array | string) => {
    const target = join(path, name)
    await mkdir(resolve(target, '..'), { recursive: true })
    await writeFile(target, content)
    return target
  }
  for (const [name, content] of files) await write(name, content)
  return { path, write, remove: () => rm(path, { recursive: true, force: true }) }
}
