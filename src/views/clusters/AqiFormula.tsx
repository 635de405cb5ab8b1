// AQI as its formula, with the separations that were measured.

import { useMemo } from 'react'
import type { AqiResult, Estimate } from '../../../workers/api.ts'
import type { SymbolValues } from '../../help/index.ts'
import FormulaFold from '../controls/FormulaFold.tsx'
import { formatSignificant } from '../format.ts'

export interface AqiFormulaProps {
  anchor: AqiResult | undefined
  merge: AqiResult | undefined
}

const numberOf = (estimate: Estimate | undefined): number | undefined =>
  estimate && !('unavailable' in estimate) ? estimate.value : undefined

/** S of the merge and of the anchor, and what they make. */
export function aqiValues({ anchor, merge }: AqiFormulaProps): SymbolValues {
  const index = numberOf(merge?.normalised)
  const separations = { S: numberOf(merge?.logSeparation), Sanchor: numberOf(anchor?.logSeparation) }
  return {
    ...(index !== undefined && { AQI: index.toFixed(1) }),
    ...(separations.S !== undefined && { S: formatSignificant(Math.exp(separations.S)) }),
    ...(separations.Sanchor !== undefined && { Sanchor: formatSignificant(Math.exp(separations.Sanchor)) }),
  }
}

const more = ['separation'] as const

export default function AqiFormula({ anchor, merge }: AqiFormulaProps) {
  const values = useMemo(() => aqiValues({ anchor, merge }), [anchor, merge])
  return <FormulaFold id="aqi" values={values} worked="aqi" more={more} />
}
