// Drift as its formula, with the held-out value of the merge.

import { useMemo } from 'react'
import type { SymbolValues } from '../../help/index.ts'
import FormulaFold from '../controls/FormulaFold.tsx'
import { formatNorm } from '../format.ts'

const more = ['coordinate', 'projector'] as const

export default function DriftFormula({ heldOut }: { heldOut: number | undefined }) {
  const values = useMemo(
    (): SymbolValues => (heldOut === undefined ? {} : { D: formatNorm(heldOut) }),
    [heldOut],
  )
  return <FormulaFold id="drift" values={values} worked="drift" more={more} />
}
