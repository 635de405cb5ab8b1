#!/usr/bin/env node
// `npx alignmerge …`: starts the TypeScript entry through scripts/run.mjs in a process of its own.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url))
const child = spawn(
  process.execPath,
  [path('../scripts/run.mjs'), path('../src/cli/alignmerge/main.ts'), ...process.argv.slice(2)],
  { stdio: 'inherit' },
)
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1)
})
