// alignmerge verify FOLDER: the engine against stored vectors; the same as `npm run verify`.

import { resolve } from 'node:path'
import { EngineError } from '../../core/errors.ts'
import { findCases, isPassed, report, runCases } from '../verify.ts'
import type { Command } from './command.ts'

export const verify: Command = {
  name: 'verify',
  usage: 'FOLDER',
  summary: 'the engine against stored reference vectors: families and merges',
  positionals: { min: 1, max: 1 },
  options: { browser: { help: 'in Chromium instead of here' } },
  details: `
FOLDER holds config.json with sequences and reference tensors, or cases.json with merges, or folders of such.
Exit code 1 on a miss, an unknown method or nothing found.`,
  async run(call, output) {
    const root = resolve(call.positionals[0])
    const cases = await findCases(root)
    if (cases.length === 0)
      throw new EngineError(
        'file-missing',
        `${root} holds no config.json or cases.json, nor does a folder in it`,
      )
    const results = await runCases(cases, call.has('browser'), output.note)
    const passed = isPassed(results)
    if (call.isJson) output.print(JSON.stringify({ passed, cases: results }))
    else report(results, output.print)
    return passed ? 0 : 1
  },
}
