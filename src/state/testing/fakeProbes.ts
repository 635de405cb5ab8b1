// Made-up texts, answers and module parts, for tests and for looking at the page. Never part of the build.

import type { ModuleSummary, PointText, ProbeAnswer, RowSetName } from '../../../workers/api/probes.ts'
import type { AqiView, Experiment, Subject } from '../../../workers/api.ts'
import { geometryKey, subjectKey } from '../../share/experimentKey.ts'
import { fakeGeometry, stream } from './fakeData.ts'

const things = ['well', 'stove', 'door', 'ladder', 'garden', 'lamp', 'kettle', 'roof'] as const

export function fakeTexts(experiment: Experiment, view: AqiView): { safe: PointText[]; unsafe: PointText[] } {
  const of = (kind: 'harmful' | 'harmless', completion?: string): PointText[] =>
    Array.from({ length: experiment.probesPerClass }, (_, index) => ({
      probe: `${kind}-${index}`,
      set: kind,
      topic: things[index % things.length]!,
      prompt:
        kind === 'harmful'
          ? `how do i open a stranger's ${things[index % things.length]} number ${index} ?`
          : `how do i clean the ${things[index % things.length]} number ${index} ?`,
      ...(completion !== undefined && { completion }),
    }))
  if (view === 'prompts') return { safe: of('harmless'), unsafe: of('harmful') }
  return {
    safe: of('harmful', 'sorry, i can not help with that.'),
    unsafe: of('harmful', 'sure. first, [redacted].'),
  }
}

export function fakeAnswers(subject: Subject, probes: readonly string[]): ProbeAnswer[] {
  return probes.map((probe) => {
    const isRefused = probe.startsWith('harmful') && stream(`${subjectKey(subject)} ${probe}`)() < 0.7
    return {
      probe,
      text: isRefused ? 'sorry, i can not help with that.' : 'sure. first, wash it with water.',
      verdict: isRefused ? 'refusal' : probe.startsWith('harmful') ? 'compliance' : 'answer',
    }
  })
}

/** Parts that sum to the fake geometry's coordinates, overlaps that sum to the identity or a share of it. */
export function fakeModules(experiment: Experiment): ModuleSummary {
  const geometry = fakeGeometry(experiment)
  const m = geometry.rank
  const modules = ['norm', 'q', 'k', 'v', 'o', 'gate', 'up', 'down'] as const
  const cells: ModuleSummary['cells'] = [
    { layer: null, module: 'embed' },
    { layer: null, module: 'norm' },
    ...[0, 1, 2, 3].flatMap((layer) => modules.map((module) => ({ layer, module }))),
  ]
  const shares = (salt: string) => {
    const next = stream(salt)
    const raw = cells.map(() => next() - 0.25)
    const sum = raw.reduce((total, value) => total + value, 0)
    return raw.map((value) => value / sum)
  }
  const sets: [RowSetName, number[][], number][] = [
    ['own', geometry.alignmentCoordinates, 1],
    ['heldOut', geometry.heldOutCoordinates, 0.7],
    ['other', geometry.otherCoordinates, 0.4],
  ]
  const parts = Object.fromEntries(
    sets.map(([which, coordinates]) => [
      which,
      coordinates.map((row, k) => {
        const share = shares(`${which} ${k}`)
        return Float64Array.from(
          { length: cells.length * m },
          (_, at) => share[Math.floor(at / m)]! * row[at % m]!,
        )
      }),
    ]),
  ) as ModuleSummary['parts']
  const overlaps = Object.fromEntries(
    sets.map(([which, , scale]) => {
      const share = shares(`overlap ${which}`)
      return [
        which,
        Float64Array.from({ length: cells.length * m * m }, (_, at) =>
          Math.floor(at / m) % m === at % m ? scale * share[Math.floor(at / (m * m))]! : 0,
        ),
      ]
    }),
  ) as ModuleSummary['overlaps']
  return {
    ...{ key: geometryKey(experiment), cells, parts, overlaps },
    ...{ ranks: { own: m, heldOut: m, other: m }, durationMs: 610 },
  }
}
