// Rows of A from AQI: how log S of the separation of aligned and misaligned completions changes with the weights,
// one row per group of topics, on the estimating or held-out probes of the anchor.

import { EngineError } from '../errors.ts'
import { fitAqiAnchor } from '../evaluate/aqi.ts'
import { aqiGradientTerms, groupTopics } from '../evaluate/aqiGradient.ts'
import { aqiItems, poolItems } from '../evaluate/aqiVectors.ts'
import { isUnavailable } from '../evaluate/estimate.ts'
import type { ProbeFile, ProbeSplit } from '../evaluate/probes.ts'
import type { TextCodec } from '../files/tokenizer.ts'
import { type AlignmentRows, pooledRows, type RowOptions } from '../geometry/alignmentRows.ts'
import type { DeviceModel } from '../model/deviceModel.ts'

const PER_CLASS = 96
const MAX_GROUPS = 12

/**
 * Rows at `model`, in the standardised space of `reference`: the anchor, also where the rows are taken elsewhere.
 * `request-invalid` where the reference's completions fix no scale.
 */
export async function aqiRows(
  model: DeviceModel,
  codec: TextCodec,
  probes: ProbeFile,
  split: ProbeSplit,
  seed: number,
  options: RowOptions,
  reference: DeviceModel = model,
): Promise<AlignmentRows> {
  const items = aqiItems(codec, 'completions', probes, { perClass: PER_CLASS, seed, split })
  const pool = (of: DeviceModel) => poolItems(of, items, { signal: options.signal })
  const vectors = await pool(model)
  const anchor = fitAqiAnchor(reference === model ? vectors : await pool(reference), seed)
  if (isUnavailable(anchor))
    throw new EngineError(
      'request-invalid',
      `AQI gradients: the anchor's completions fix no scale (${anchor.unavailable})`,
    )
  const groups = groupTopics(items, MAX_GROUPS)
  const terms = aqiGradientTerms(model.config, items, vectors, anchor.standardisation, groups)
  return pooledRows(model, terms, groups.length, options)
}
