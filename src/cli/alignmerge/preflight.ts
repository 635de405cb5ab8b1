// alignmerge preflight MODEL…: every problem of several models from their headers, before anything large is read.

import { preflight as lookAt, type Preflight } from '../../core/preflight/preflight.ts'
import { folderAt } from '../hubModels.ts'
import type { Command, Output } from './command.ts'
import { findModel } from './models.ts'

const SIZES = ['bytes', 'kB', 'MB', 'GB', 'TB']

/** Bytes for people, three digits. */
export function sizeOf(bytes: number): string {
  const power = bytes < 1000 ? 0 : Math.min(4, Math.floor(Math.log10(bytes) / 3))
  return `${Number((bytes / 1000 ** power).toPrecision(3))} ${SIZES[power]}`
}

export function printPreflight({ models, findings, estimate, canMerge }: Preflight, output: Output): void {
  for (const { name, format, architecture, parameterCount, byteLength, types, card } of models)
    output.print(
      [
        name,
        ...[architecture, format].filter((text) => text !== undefined),
        `${(parameterCount / 1e6).toFixed(1)} M parameters, ${sizeOf(byteLength)}`,
        Object.keys(types).join('/'),
        card.licence ?? 'no licence named',
      ].join(' · '),
    )
  for (const { level, topic, model, message, remedy } of findings) {
    output.print(`${level}: ${model === undefined ? '' : `${model}: `}${message} [${topic}]`)
    if (remedy !== undefined) output.print(`  → ${remedy}`)
  }
  const { readBytes, writtenBytes, largestTensorBytes, residentBytes } = estimate
  output.print(
    `to read ${sizeOf(readBytes)}, to write ${sizeOf(writtenBytes)}; largest tensor ${sizeOf(largestTensorBytes)} in float32; ${sizeOf(residentBytes)} to hold all at once`,
  )
  output.print(canMerge ? 'can be merged' : 'cannot be merged')
}

export const preflight: Command = {
  name: 'preflight',
  usage: 'MODEL…',
  summary: 'every problem of several models from their headers, before anything large is read',
  positionals: { min: 1, max: 64 },
  options: { models: { value: 'DIR', help: 'where models are looked for besides here' } },
  details:
    'The first model is the one that the others are compared with. Exit code 1 when they cannot be merged.',
  async run(call, output, signal) {
    const models = await Promise.all(
      call.positionals.map(async (name) => ({
        name,
        folder: await folderAt(await findModel(name, call.text('models'))),
      })),
    )
    const report = await lookAt(models, { signal })
    if (call.isJson)
      output.print(
        JSON.stringify({
          ...report,
          models: report.models.map(({ tokens, ...facts }) => ({
            ...facts,
            addedTokens: Object.fromEntries(tokens.added),
            hasTemplate: tokens.template !== undefined,
          })),
        }),
      )
    else printPreflight(report, output)
    return report.canMerge ? 0 : 1
  },
}
