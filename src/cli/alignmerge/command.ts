// What a command of `alignmerge` is: its options as data, from which arguments are checked and help is written.

import { parseArgs } from 'node:util'

/** Wrong usage: exit code 2. */
export class UsageError extends Error {}

export interface Option {
  /** word for the value in the help; absent: a switch */
  value?: string
  help: string
  isMultiple?: true
}

export interface Output {
  /** to standard output */
  print(text: string): void
  /** progress and remarks, to standard error */
  note(text: string): void
}

export interface Command {
  name: string
  /** what stands for the positional arguments in the help */
  usage: string
  summary: string
  positionals: { min: number; max: number }
  options: Readonly<Record<string, Option>>
  /** more lines for --help */
  details?: string
  /** resolves to the exit code: 0, or 1 where the work found a miss */
  run(call: Call, output: Output, signal: AbortSignal): Promise<number>
}

/** Options of every command. */
const SHARED: Readonly<Record<string, Option>> = {
  json: { help: 'print one JSON value on standard output, and nothing else there' },
  help: { help: 'print this and do nothing' },
}

/** Checked arguments with typed access. */
export class Call {
  readonly positionals: readonly string[]
  private readonly values: Readonly<Record<string, unknown>>

  constructor(positionals: readonly string[], values: Readonly<Record<string, unknown>>) {
    this.positionals = positionals
    this.values = values
  }

  has(name: string): boolean {
    return this.values[name] !== undefined && this.values[name] !== false
  }

  get isJson(): boolean {
    return this.has('json')
  }

  text(name: string): string | undefined {
    const value = this.values[name]
    return typeof value === 'string' ? value : undefined
  }

  texts(name: string): readonly string[] {
    const value = this.values[name]
    return Array.isArray(value) ? value.map(String) : []
  }

  /** A whole number in [min, max]. */
  count(name: string, fallback: number, min = 1, max = 2 ** 31): number {
    const text = this.text(name)
    if (text === undefined) return fallback
    const value = /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN
    if (!(value >= min && value <= max))
      throw new UsageError(`--${name} ${text}: expected a whole number from ${min} to ${max}`)
    return value
  }

  /** One of several words. */
  choice<T extends string>(name: string, known: readonly T[], fallback: T): T {
    const text = this.text(name)
    if (text === undefined) return fallback
    const found = known.find((word) => word === text)
    if (found === undefined) throw new UsageError(`--${name} ${text}: expected ${known.join(', ')}`)
    return found
  }
}

/** Arguments against a command's options; UsageError for anything that is not understood. */
export function readCall(command: Command, args: readonly string[]): Call {
  const options = { ...command.options, ...SHARED }
  let parsed: { values: Record<string, unknown>; positionals: string[] }
  try {
    parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: Object.fromEntries(
        Object.entries(options).map(([name, { value, isMultiple }]) => [
          name,
          {
            type: value === undefined ? ('boolean' as const) : ('string' as const),
            multiple: isMultiple ?? false,
          },
        ]),
      ),
    })
  } catch (error) {
    // Node's own sentence; what follows it is advice on `--`.
    throw new UsageError((error as Error).message.split('. ')[0])
  }
  const { values, positionals } = parsed
  const { min, max } = command.positionals
  if (values.help !== true && (positionals.length < min || positionals.length > max))
    throw new UsageError(`expected ${command.usage}, found ${positionals.length} of them`)
  return new Call(positionals, values)
}

/** Text of `--help`. */
export function helpOf(command: Command): string {
  const rows = Object.entries({ ...command.options, ...SHARED }).map(
    ([name, { value, help }]): [string, string] => [
      `--${name}${value === undefined ? '' : ` ${value}`}`,
      help,
    ],
  )
  const width = Math.max(...rows.map(([left]) => left.length))
  const lines = rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`)
  const details = command.details ? `\n${command.details.trim()}\n` : ''
  return `alignmerge ${command.name} ${command.usage}\n\n${command.summary}\n\n${lines.join('\n')}\n${details}`
}
