// AQI, budget and picture of one view of one model, on the anchor's frozen scale of that view.
// The answers view is measured on the completions' scale: an aligned anchor's own answers are of one class, so they
// can fix no scale, and both views average over answers to the same kind of prompts. It has no budget.

import type { DeviceModel } from '../model/deviceModel.ts'
import { type AqiAnchor, type AqiResult, fitAqiAnchor, measureAqi } from './aqi.ts'
import { type AqiItem, type AqiView, poolItems } from './aqiVectors.ts'
import { type Budget, budgetThreshold, measureBudget } from './budget.ts'
import { type ClusterPoints, clusterPoints } from './clusterPlane.ts'
import { isUnavailable, type Unavailable } from './estimate.ts'
import type { ClassVectors } from './separation.ts'

/** The anchor's frozen standardisation, S, threshold and plane of one view. */
export class AqiScale {
  readonly view: Exclude<AqiView, 'answers'>
  /** or the reason why the anchor's vectors fix no scale */
  readonly anchor: AqiAnchor | Unavailable

  constructor(view: Exclude<AqiView, 'answers'>, anchor: AqiAnchor | Unavailable) {
    this.view = view
    this.anchor = anchor
  }

  /** From the anchor's own vectors; once per experiment and view. */
  static fit(view: Exclude<AqiView, 'answers'>, vectors: ClassVectors, seed: number): AqiScale {
    return new AqiScale(view, fitAqiAnchor(vectors, seed))
  }
}

/** Which scale measures a view. */
export const scaleView = (view: AqiView): Exclude<AqiView, 'answers'> =>
  view === 'prompts' ? 'prompts' : 'completions'

export interface ViewMeasurement {
  result: AqiResult
  budget: Budget | Unavailable
  /** in the anchor's plane; also of classes too small for an AQI */ points: ClusterPoints | Unavailable
}

/** AQI of a model's vectors on `scale`, which must be that of `scaleView(view)`. Rejects `shape-mismatch`. */
export function measureView(
  scale: AqiScale,
  view: AqiView,
  vectors: ClassVectors,
  seed: number,
): ViewMeasurement {
  const { anchor } = scale
  const { width, safe, unsafe } = vectors
  if (isUnavailable(anchor)) {
    const reason = { unavailable: `the anchor fixes no scale: ${anchor.unavailable}` }
    const perClass: [number, number] = [safe.length / width, unsafe.length / width]
    return {
      result: { normalised: reason, logSeparation: reason, perClass },
      budget: reason,
      points: reason,
    }
  }
  const measurement = measureAqi(vectors, anchor, seed)
  const { normalised, logSeparation, perClass } = measurement
  return {
    result: { normalised, logSeparation, perClass },
    budget:
      view === 'answers'
        ? { unavailable: 'answers have no budget' }
        : measureBudget(budgetThreshold(anchor), measurement),
    points: isUnavailable(anchor.plane)
      ? anchor.plane
      : clusterPoints(anchor.plane, anchor.standardisation, vectors),
  }
}

/** Pools `items` of a view through `model` and measures them; see `poolItems` and `measureView`. */
export async function measureItems(
  model: DeviceModel,
  items: readonly AqiItem[],
  scale: AqiScale,
  view: AqiView,
  options: {
    seed: number
    signal?: AbortSignal | undefined
    onProgress?: ((done: number, total: number) => void) | undefined
  },
): Promise<ViewMeasurement> {
  return measureView(scale, view, await poolItems(model, items, options), options.seed)
}
