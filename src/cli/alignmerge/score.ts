// alignmerge score MODEL: what a model does with the probes, and how well it keeps safe and unsafe apart.

import { assertMergeable } from '../../core/files/mergeable.ts'
import type { Command } from './command.ts'
import { jobOptions, PROBE_OPTIONS, readProbeFile, withSession } from './engine.ts'
import { Measurer, measureLines } from './measure.ts'
import { findModel, openModel } from './models.ts'

/** Probes of each set and skill in published figures. */
export const PER_CLASS = 240

export const score: Command = {
  name: 'score',
  usage: 'MODEL',
  summary: 'behaviour on held-out probes, and AQI, of one model',
  positionals: { min: 1, max: 1 },
  options: {
    anchor: { value: 'MODEL', help: 'whose states fix the scale of AQI (default: the model itself, AQI 50)' },
    ...PROBE_OPTIONS,
    'per-class': { value: 'N', help: `probes of each set and skill (default ${PER_CLASS}; AQI needs 64)` },
    'no-aqi': { help: 'behaviour alone' },
    models: { value: 'FOLDER', help: 'where models are looked for that are no paths from here' },
  },
  details: `
Answers are decoded greedily and judged by the rules of the probe file; shares have 95 % Wilson intervals.`,
  async run(call, output, signal) {
    const perClass = call.count('per-class', PER_CLASS, 1, 100_000)
    const seed = call.count('seed', 1, 0, 2 ** 32 - 1)
    const path = await findModel(call.positionals[0], call.text('models'))
    const anchorName = call.text('anchor')
    const anchorPath = anchorName === undefined ? undefined : await findModel(anchorName, call.text('models'))
    const probes = await readProbeFile(call)
    const checkpoint = await openModel(path, signal)
    const job = jobOptions(output, signal)
    return withSession(output, probes.file, async (session) => {
      const { model } = await session.load('model', checkpoint, job)
      if (anchorPath !== undefined) {
        const anchor = await openModel(anchorPath, signal)
        assertMergeable(anchor, [checkpoint])
        await session.load('anchor', anchor, job)
      }
      const options = {
        anchor: anchorPath === undefined ? 'model' : 'anchor',
        perClass,
        seed,
        hasAqi: !call.has('no-aqi'),
      }
      const measured = await new Measurer(session, options).measure(model, job)
      if (call.isJson)
        output.print(
          JSON.stringify({
            model: path,
            anchor: anchorPath ?? path,
            probes: { file: probes.name, sha256: probes.sha256 },
            ...measured,
          }),
        )
      else output.print(`${checkpoint.name}  ${path}\n${measureLines(measured)}`)
      return 0
    })
  },
}
