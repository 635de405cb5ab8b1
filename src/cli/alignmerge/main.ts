// npx alignmerge COMMAND …: finds the command, runs it, and turns what happened into an exit code: 0 done, 1 the work
// failed or found a miss, 2 wrong usage, 130 stopped by Ctrl-C. With --json an error is one JSON value too.

import { EngineError } from '../../core/errors.ts'
import { type Command, helpOf, type Output, readCall, UsageError } from './command.ts'

/** Loaded when asked for: help and wrong usage need no engine. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  inspect: async () => (await import('./inspect.ts')).inspect,
  preflight: async () => (await import('./preflight.ts')).preflight,
  merge: async () => (await import('./merge.ts')).merge,
  fisher: async () => (await import('./fisher.ts')).fisher,
  score: async () => (await import('./score.ts')).score,
  sweep: async () => (await import('./sweep.ts')).sweep,
  verify: async () => (await import('./verify.ts')).verify,
  extract: async () => (await import('./extract.ts')).extract,
}

async function overview(): Promise<string> {
  const lines: string[] = []
  for (const [name, load] of Object.entries(COMMANDS))
    lines.push(`  ${name.padEnd(10)} ${(await load()).summary}`)
  return `alignmerge COMMAND …\n\n${lines.join('\n')}\n\nalignmerge COMMAND --help tells more. Exit codes: 0 done, 1 failed or missed, 2 wrong usage.\n`
}

/** What an error tells a program. */
function errorValue(error: unknown): Record<string, unknown> {
  if (error instanceof EngineError) return { code: error.code, message: error.message, ...error.where }
  if (error instanceof UsageError) return { code: 'usage', message: error.message }
  return { code: 'internal', message: error instanceof Error ? error.message : String(error) }
}

/** A broken promise of our own deserves its stack; a refusal does not. */
function sayError(error: unknown, name: string): string {
  if (error instanceof UsageError) {
    const known = Object.hasOwn(COMMANDS, name) ? `${name} ` : ''
    return `${error.message}\nalignmerge ${known}--help tells more`
  }
  if (error instanceof EngineError) return `${error.code}: ${error.message}`
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

const TERMINAL: Output = {
  print: (text) => process.stdout.write(text.endsWith('\n') ? text : `${text}\n`),
  note: (text) => process.stderr.write(`${text}\n`),
}

export async function main(args: readonly string[], output: Output = TERMINAL): Promise<number> {
  const [name, ...rest] = args
  if (name === undefined || name === '--help' || name === 'help') {
    output.print(await overview())
    return name === undefined ? 2 : 0
  }
  const controller = new AbortController()
  const stop = () => controller.abort()
  const signals = ['SIGINT', 'SIGTERM'] as const
  for (const signal of signals) process.once(signal, stop)
  try {
    if (!Object.hasOwn(COMMANDS, name))
      throw new UsageError(`unknown command ${name}; expected ${Object.keys(COMMANDS).join(', ')}`)
    const command = await COMMANDS[name]()
    const call = readCall(command, rest)
    if (call.has('help')) {
      output.print(helpOf(command))
      return 0
    }
    return await command.run(call, output, controller.signal)
  } catch (error) {
    if (rest.includes('--json')) output.print(JSON.stringify({ error: errorValue(error) }))
    else output.note(sayError(error, name))
    if (controller.signal.aborted) return 130
    return error instanceof UsageError ? 2 : 1
  } finally {
    for (const signal of signals) process.off(signal, stop)
  }
}
