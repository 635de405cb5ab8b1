import { t } from '../../language/translate.ts'
import { toggleTable } from '../../state/actions/view.ts'
import type { ViewSlice } from '../../state/slices/view.ts'

/** Chart or table of the same numbers. */
export function TableToggle({ chart, isTable }: { chart: keyof ViewSlice['asTable']; isTable: boolean }) {
  return (
    <button type="button" className="quiet-button" aria-pressed={isTable} onClick={() => toggleTable(chart)}>
      {isTable ? t('Chart') : t('Table')}
    </button>
  )
}
