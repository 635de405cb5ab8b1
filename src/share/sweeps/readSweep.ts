// A sweep that comes from a link or from storage: checked field by field. Whether its parameters fit the experiment is
// seen when it is used (fitSweep).

import { type Reader, Refusal } from '../reader.ts'
import { type SweepAxis, type SweepSpec, sweepLimits } from './spec.ts'

const parameterNames = /^(lambdaAlign|rank|damping|antidote|weight\.[0-7]|own\.[A-Za-z]\w{0,40})$/
/** No parameter of any method goes beyond. */
const largest = 1e6

function readPoints(
  reader: Reader,
  value: unknown,
  path: string,
  { min, max }: { min: number; max: number },
) {
  const count = reader.count(value, path, max)
  if (count < min) throw new Refusal(`${path} is ${count}, fewer than ${min}`)
  return count
}

function readAxis(
  reader: Reader,
  value: unknown,
  path: string,
  range: { min: number; max: number },
): SweepAxis {
  const fields = reader.object(value, path, ['parameter', 'from', 'to', 'count'])
  const parameter = reader.text(fields.parameter, `${path}.parameter`, 50)
  if (!parameterNames.test(parameter)) throw new Refusal(`${path}.parameter “${parameter}” cannot be swept`)
  const from = reader.within(fields.from, `${path}.from`, -largest, largest)
  const to = reader.within(fields.to, `${path}.to`, -largest, largest)
  if (from >= to) throw new Refusal(`${path} runs from ${from} to ${to}, expected upwards`)
  return { parameter, from, to, count: readPoints(reader, fields.count, `${path}.count`, range) }
}

/** Throws `Refusal` with the name of the first field that is wrong. */
export function readSweep(reader: Reader, value: unknown, path: string): SweepSpec {
  const { kind, ...rest } = reader.object(value, path, ['kind', 'x', 'y', 'steps'])
  switch (kind) {
    case 'line':
      reader.object(rest, path, ['x'])
      return { kind, x: readAxis(reader, rest.x, `${path}.x`, sweepLimits.line) }
    case 'grid':
      reader.object(rest, path, ['x', 'y'])
      return {
        kind,
        x: readAxis(reader, rest.x, `${path}.x`, sweepLimits.grid),
        y: readAxis(reader, rest.y, `${path}.y`, sweepLimits.grid),
      }
    case 'weights':
      reader.object(rest, path, ['steps'])
      return { kind, steps: readPoints(reader, rest.steps, `${path}.steps`, sweepLimits.weights) }
    default:
      throw new Refusal(`${path}.kind is none of line, grid, weights`)
  }
}
