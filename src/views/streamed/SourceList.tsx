// The models that take part: added as folders, each the base, one of the merged, or left out.

import { useEffect, useRef } from 'react'
import type { StreamedSource } from '../../../workers/streamedApi.ts'
import { t } from '../../language/translate.ts'
import { findMethod } from '../../share/methods.ts'
import { openLibrary, streamedSourceOf } from '../../state/actions/library.ts'
import { useStudio } from '../../state/store.ts'
import { addFiles, addSource, removeSource, setPartWeight, setRole } from '../../state/streamed/actions.ts'
import { type Part, useStreamed } from '../../state/streamed/store.ts'
import { NumberInput } from '../controls/NumberInput.tsx'
import { TableScroll } from '../controls/TableScroll.tsx'
import { formatBytes, formatCount } from '../format.ts'
import { collectDroppedFiles } from '../models/droppedFiles.ts'

const roles: readonly { value: Part['role']; label: string }[] = [
  { value: 'base', label: 'base' },
  { value: 'model', label: 'merged' },
  { value: 'unused', label: 'left out' },
]

export function SourceList() {
  const parts = useStreamed((state) => state.parts)
  const method = useStreamed((state) => state.method)
  const isBusy = useStreamed(({ status }) => status.kind === 'running' || status.kind === 'opening')
  const input = useRef<HTMLInputElement>(null)
  const hasWeights = findMethod(method)?.parameters.some(({ id }) => id === 'weight') ?? false
  return (
    <section
      className="streamed-card"
      aria-label={t('Models to merge')}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault()
        void collectDroppedFiles(event.dataTransfer).then(addFiles)
      }}
    >
      <h3>{t('Models')}</h3>
      {parts.length > 0 && (
        <TableScroll label={t('Models to merge')}>
          <table className="streamed-models">
            <thead>
              <tr>
                <th scope="col">{t('Model')}</th>
                <th scope="col">{t('Parameters')}</th>
                <th scope="col">{t('Stored as')}</th>
                <th scope="col">{t('Size')}</th>
                <th scope="col">{t('Role')}</th>
                <th scope="col">{t('Weight')}</th>
                <th scope="col">
                  <span className="visually-hidden">{t('Remove')}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {parts.map((part) => (
                <tr key={part.name}>
                  <th scope="row" title={part.architecture}>
                    {part.name}
                  </th>
                  {part.fault === undefined ? (
                    <>
                      <td>{formatCount(part.parameterCount)}</td>
                      <td>{part.storage}</td>
                      <td>{formatBytes(part.byteLength)}</td>
                    </>
                  ) : (
                    <td colSpan={3} className="streamed-error">
                      {t('cannot be opened: {why}', { why: part.fault })}
                    </td>
                  )}
                  <td>
                    <select
                      aria-label={t('Role of {name}', { name: part.name })}
                      value={part.role}
                      disabled={isBusy || part.fault !== undefined}
                      onChange={(event) => setRole(part.name, event.target.value as Part['role'])}
                    >
                      {roles.map(({ value, label }) => (
                        <option key={value} value={value}>
                          {t(label)}
                        </option>
                      ))}
                    </select>
                  </td>
                  <td>
                    {hasWeights && part.role === 'model' ? (
                      <NumberInput
                        id={`streamed-weight-${part.name}`}
                        label={t('Weight of {name}', { name: part.name })}
                        value={part.weight}
                        min={-10}
                        max={10}
                        step={0.01}
                        isDisabled={isBusy}
                        onChange={(value) => setPartWeight(part.name, value)}
                      />
                    ) : (
                      '–'
                    )}
                  </td>
                  <td>
                    <button
                      type="button"
                      className="quiet-button"
                      disabled={isBusy}
                      onClick={() => void removeSource(part.name)}
                    >
                      {t('Remove')}
                    </button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </TableScroll>
      )}
      <p className="streamed-actions">
        <button type="button" disabled={isBusy} onClick={() => input.current?.click()}>
          {t('Add a model folder')}
        </button>
        <AddKnown isBusy={isBusy} />
        <span className="muted">
          {t('or drop a folder here: it stays where it is and is read in ranges')}
        </span>
      </p>
      <input
        ref={input}
        type="file"
        multiple
        className="visually-hidden"
        aria-label={t('Model folder')}
        tabIndex={-1}
        // React does not know the attribute.
        {...{ webkitdirectory: '' }}
        onChange={(event) => {
          const files = [...(event.target.files ?? [])]
          event.target.value = ''
          void addFiles(files)
        }}
      />
    </section>
  )
}

/** Models that the page knows already: those of the library, and those that are built in. */
function AddKnown({ isBusy }: { isBusy: boolean }) {
  const library = useStudio((state) => state.library.models)
  const loaded = useStudio((state) => state.models.list)
  const parts = useStreamed((state) => state.parts)
  useEffect(() => void openLibrary(), [])
  const taken = new Set(parts.map(({ name }) => name))
  const kept = library.flatMap((model) => {
    const source = streamedSourceOf(model)
    return source && !taken.has(source.name) ? [source] : []
  })
  const builtIn = loaded.flatMap(({ origin }): StreamedSource[] =>
    origin.kind === 'built-in' && !taken.has(origin.id)
      ? [{ kind: 'built-in', name: origin.id, id: origin.id }]
      : [],
  )
  const groups = [
    { label: 'Library', sources: kept },
    { label: 'Built in', sources: builtIn },
  ]
  const all = groups.flatMap(({ sources }) => sources)
  return (
    <select
      aria-label={t('Add a known model')}
      value=""
      disabled={isBusy || all.length === 0}
      onChange={(event) => {
        const source = all.find(({ name }) => name === event.target.value)
        if (source) void addSource(source)
      }}
    >
      <option value="">{t('Add a known model …')}</option>
      {groups.map(
        ({ label, sources }) =>
          sources.length > 0 && (
            <optgroup key={label} label={t(label)}>
              {sources.map(({ name }) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
            </optgroup>
          ),
      )}
    </select>
  )
}
