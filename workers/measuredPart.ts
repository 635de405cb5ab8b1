// What was measured of a view, as the page is sent it.

import type { AqiView } from '../src/core/evaluate/aqiVectors.ts'
import type { ViewMeasurement } from '../src/core/evaluate/aqiViews.ts'
import { isUnavailable } from '../src/core/evaluate/estimate.ts'
import type { MeasuredPart } from './api.ts'

/** A view's results as parts; what is unavailable is left out of budget and points, its reason is in the AQI. */
export function viewPart(
  view: AqiView,
  { result, budget, points }: ViewMeasurement,
): Pick<MeasuredPart, 'aqi' | 'budget' | 'clusters'> {
  return {
    aqi: { [view]: result },
    ...(isUnavailable(budget) ? {} : { budget: { [view]: budget } }),
    ...(isUnavailable(points) ? {} : { clusters: { [view]: points } }),
  }
}
