// What the columns of a file are, where their names do not say.

import { useEffect, useRef } from 'react'
import { t } from '../../language/translate.ts'
import {
  type Mapping,
  type PromptLabel,
  readRows,
  readValues,
  valuesOf,
} from '../../state/play/promptColumns.ts'
import { acceptMapping, dismissMapping, setHeader, setMapping } from '../../state/play/promptSets.ts'
import type { PendingFile } from '../../state/play/store.ts'
import { LabelOptions } from './LabelOptions.tsx'

/** Values of a label column that can be told apart one by one. */
const MAX_VALUES = 12

export function MappingDialog({ pending }: { pending: PendingFile }) {
  const { name, table, mapping, hasHeader } = pending
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    if (!dialog.current?.open) dialog.current?.showModal()
  }, [])
  const { rows, report } = readRows(table, mapping)
  const first = rows[0]
  const change = (part: Partial<Mapping>) => setMapping({ ...mapping, ...part })
  const values = mapping.label === null ? [] : valuesOf(table, mapping.label)
  return (
    <dialog ref={dialog} className="play-dialog" aria-labelledby="mapping-title" onClose={dismissMapping}>
      <form
        method="dialog"
        onSubmit={(event) => {
          event.preventDefault()
          void acceptMapping()
        }}
      >
        <h2 id="mapping-title">{t('What are the columns of {name}?', { name })}</h2>
        <label className="play-check">
          <input type="checkbox" checked={hasHeader} onChange={(event) => setHeader(event.target.checked)} />
          {t('The first line names the columns')}
        </label>
        <div className="play-mapping">
          <ColumnField
            label={t('Prompt')}
            columns={table.columns}
            value={mapping.prompt}
            onChange={(prompt) => prompt !== null && change({ prompt })}
          />
          <ColumnField
            label={t('Label')}
            columns={table.columns}
            value={mapping.label}
            isOptional
            onChange={(label) => change({ label, values: label === null ? {} : readValues(table, label) })}
          />
          <ColumnField
            label={t('Topic')}
            columns={table.columns}
            value={mapping.topic}
            isOptional
            onChange={(topic) => change({ topic })}
          />
          <ColumnField
            label={t('Aligned answer')}
            columns={table.columns}
            value={mapping.aligned}
            isOptional
            onChange={(aligned) => change({ aligned })}
          />
          <ColumnField
            label={t('Misaligned answer')}
            columns={table.columns}
            value={mapping.misaligned}
            isOptional
            onChange={(misaligned) => change({ misaligned })}
          />
        </div>
        {values.length > 0 && values.length <= MAX_VALUES && (
          <fieldset className="play-mapping">
            <legend>{t('What the labels say')}</legend>
            {values.map(({ value, count }) => (
              <label key={value}>
                <span>
                  {value === '' ? t('(empty)') : value} <small>{count}</small>
                </span>
                <select
                  value={mapping.values[value] ?? 'ignore'}
                  onChange={(event) =>
                    change({ values: { ...mapping.values, [value]: event.target.value as PromptLabel } })
                  }
                >
                  <LabelOptions />
                </select>
              </label>
            ))}
          </fieldset>
        )}
        {values.length > MAX_VALUES && (
          <p className="hint is-warning">
            {t('{count} different values are no labels; prompts are ignored until you label them.', {
              count: values.length,
            })}
          </p>
        )}
        <p className="hint">
          {first
            ? t('{count} prompts, the first: “{prompt}”', {
                count: rows.length,
                prompt: first.prompt.length > 120 ? `${first.prompt.slice(0, 120)}…` : first.prompt,
              })
            : t('No row has a prompt.')}
          {report.unlabelled > 0 && ` · ${t('{count} without a label', { count: report.unlabelled })}`}
        </p>
        <p className="play-dialog-actions">
          <button type="button" onClick={dismissMapping}>
            {t('Leave it')}
          </button>
          <button type="submit" className="primary" disabled={rows.length === 0}>
            {t('Take these prompts')}
          </button>
        </p>
      </form>
    </dialog>
  )
}

function ColumnField({
  label,
  columns,
  value,
  isOptional,
  onChange,
}: {
  label: string
  columns: readonly string[]
  value: number | null
  isOptional?: boolean
  onChange: (column: number | null) => void
}) {
  return (
    <label>
      <span>{label}</span>
      <select
        value={value ?? ''}
        onChange={(event) => onChange(event.target.value === '' ? null : Number(event.target.value))}
      >
        {isOptional && <option value="">{t('none')}</option>}
        {columns.map((name, place) => (
          <option key={name} value={place}>
            {name}
          </option>
        ))}
      </select>
    </label>
  )
}
