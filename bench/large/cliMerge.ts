// The same merge on the command line, in a process of its own whose memory is watched.

import { spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { processTree, type Watched, watchMemory } from './processTree.ts'

const BIN = resolve(import.meta.dirname, '../../bin/alignmerge.mjs')

export interface CliOutcome {
  seconds: number
  watched: Watched
  code: number | null
  stdout: string
  stderr: string
}

/** Runs `alignmerge`; `killWhen` is asked every 50 ms, and true kills the process and its children. */
export async function runCommand(
  args: readonly string[],
  killWhen?: () => Promise<boolean>,
): Promise<CliOutcome> {
  const begun = performance.now()
  const child = spawn(process.execPath, [BIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  const watch = watchMemory(child.pid!)
  let isOver = false
  const closed = new Promise<number | null>((done) =>
    child.on('close', (code) => {
      isOver = true
      done(code)
    }),
  )
  while (killWhen && !isOver) {
    if (await killWhen()) {
      for (const pid of (await processTree(child.pid!)).reverse()) process.kill(pid, 'SIGKILL')
      break
    }
    await new Promise((done) => setTimeout(done, 50))
  }
  const code = await closed
  return { seconds: (performance.now() - begun) / 1000, watched: await watch.stop(), code, stdout, stderr }
}
