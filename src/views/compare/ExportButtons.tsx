import type { Experiment, LabellerSummary } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import { announce } from '../../state/actions/errors.ts'
import type { CompareRow } from './CompareTable.tsx'
import type { CompareColumn } from './compareColumns.ts'
import { comparisonCsv, comparisonJson, saveFile, standaloneSvg, svgToPng } from './exportComparison.ts'

export interface ExportButtonsProps {
  experiment: Experiment
  labeller: LabellerSummary | null
  rows: readonly CompareRow[]
  columns: readonly CompareColumn[]
}

/** The comparison as files. */
export function ExportButtons({ experiment, labeller, rows, columns }: ExportButtonsProps) {
  const withLinks = () =>
    rows.map(({ label, link, measurement }) => ({
      label,
      link: link ? new URL(link, location.href).href : '',
      measurement,
    }))
  const picture = () => {
    const svg = document.querySelector<SVGSVGElement>('.pareto-frame svg')
    return svg ? standaloneSvg(svg) : undefined
  }
  const save = async (kind: 'CSV' | 'JSON' | 'SVG' | 'PNG') => {
    const name = `alignmerge-comparison.${kind.toLowerCase()}`
    if (kind === 'CSV') saveFile(name, comparisonCsv(withLinks(), columns), 'text/csv')
    else if (kind === 'JSON')
      saveFile(name, comparisonJson(experiment, labeller, withLinks(), columns), 'application/json')
    else {
      const text = picture()
      if (!text) return announce(t('The plot is not drawn yet'))
      saveFile(name, kind === 'SVG' ? text : await svgToPng(text), 'image/svg+xml')
    }
    announce(t('{name} saved', { name }))
  }
  return (
    <fieldset className="button-pair">
      <legend className="visually-hidden">{t('Save the comparison')}</legend>
      {(['CSV', 'JSON', 'SVG', 'PNG'] as const).map((kind) => (
        <button key={kind} type="button" onClick={() => void save(kind)}>
          {kind}
        </button>
      ))}
    </fieldset>
  )
}
