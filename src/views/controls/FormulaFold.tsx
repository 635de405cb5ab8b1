// A formula in one line, with its values where they are known; unfolded, it names its symbols.

import { useState } from 'react'
import { formulaEntry, workedLine } from '../../help/index.ts'
import { t } from '../../language/translate.ts'
import { FormulaView, type FormulaViewProps } from './FormulaView.tsx'
import { MathView } from './MathView.tsx'

export default function FormulaFold(props: FormulaViewProps) {
  const { id, values, worked } = props
  const [isOpen, setOpen] = useState(false)
  const { tree, title } = formulaEntry(id)
  const line = worked && values && workedLine(worked, values)
  return (
    <details className="formula-fold" open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary title={t('Symbols of the formula')}>
        <span className="visually-hidden">{t(title)}: </span>
        {line ? <MathView tree={line} values={values} /> : <MathView tree={tree} />}
      </summary>
      {isOpen && <FormulaView {...props} />}
    </details>
  )
}
