// A heat map that is a table: layers across, modules down, every cell with its number. Shade is size; a minus sign is a
// minus sign.

import { memo } from 'react'
import type { ModuleCell, ModuleName } from '../../../workers/api/probes.ts'
import { t } from '../../language/translate.ts'

export interface ModuleMapProps {
  title: string
  cells: readonly ModuleCell[]
  values: readonly number[] | undefined
  /** value of the deepest shade */
  maximum: number
  format: (value: number) => string
  /** parts of one direction add up; lengths do not */
  hasSums: boolean
}

/** At most this much of the hue, so that the number on it can be read. */
const deepest = 45

const shade = (value: number, maximum: number): string => {
  const share = maximum > 0 ? Math.min(1, Math.abs(value) / maximum) : 0
  return `color-mix(in oklab, var(${value < 0 ? '--muted' : '--accent'}) ${(deepest * share).toFixed(1)}%, var(--panel))`
}

const names: Partial<Record<ModuleName, () => string>> = {
  embed: () => t('embedding'),
  norm: () => t('norms'),
  head: () => t('head'),
}

const order: readonly ModuleName[] = [
  ...(['embed', 'norm', 'q', 'k', 'v', 'qkv', 'o', 'gate', 'up', 'gate, up', 'down', 'head'] as const),
]

export const ModuleMap = memo(function ModuleMap({
  title,
  cells,
  values,
  maximum,
  format,
  hasSums,
}: ModuleMapProps) {
  const layers = [...new Set(cells.map(({ layer }) => layer))]
  const modules = order.filter((name) => cells.some(({ module }) => module === name))
  const at = (layer: number | null, module: ModuleName) =>
    cells.findIndex((cell) => cell.layer === layer && cell.module === module)
  const sum = (chosen: (cell: ModuleCell) => boolean) =>
    cells.reduce((total, cell, index) => (chosen(cell) ? total + (values?.[index] ?? 0) : total), 0)
  const sumText = (chosen: (cell: ModuleCell) => boolean) => (values ? format(sum(chosen)) : '·')
  // Many layers leave no room for numbers; they are still read out and shown on hover.
  const isDense = layers.length > 14
  return (
    <figure className="module-map" data-dense={isDense || undefined}>
      <table>
        <caption>{title}</caption>
        {cells.length > 0 && (
          <thead>
            <tr>
              <th scope="col">{t('module')}</th>
              {layers.map((layer) => (
                <th key={layer} scope="col">
                  {layer ?? t('outside')}
                </th>
              ))}
              {hasSums && <th scope="col">Σ</th>}
            </tr>
          </thead>
        )}
        <tbody>
          {modules.map((module) => (
            <tr key={module}>
              <th scope="row">{names[module]?.() ?? module}</th>
              {layers.map((layer) => {
                const index = at(layer, module)
                const value = index < 0 ? undefined : values?.[index]
                if (index < 0) return <td key={layer} />
                if (value === undefined)
                  return (
                    <td key={layer} className="is-pending">
                      ·
                    </td>
                  )
                return (
                  <td
                    key={layer}
                    style={{ background: shade(value, maximum) }}
                    title={isDense ? format(value) : undefined}
                  >
                    <span>{format(value)}</span>
                  </td>
                )
              })}
              {hasSums && <td className="module-sum">{sumText((cell) => cell.module === module)}</td>}
            </tr>
          ))}
          {hasSums && cells.length > 0 && (
            <tr>
              <th scope="row">Σ</th>
              {layers.map((layer) => (
                <td key={layer} className="module-sum">
                  {sumText((cell) => cell.layer === layer)}
                </td>
              ))}
              <td className="module-sum">
                <b>{sumText(() => true)}</b>
              </td>
            </tr>
          )}
        </tbody>
      </table>
    </figure>
  )
})
