// The user's own prompts: dropped or pasted, kept in this browser, edited, run and measured on.

import { useEffect, useState } from 'react'
import { plural, t } from '../../language/translate.ts'
import { loadSets, openFile, openSet, openText, removeSet } from '../../state/play/promptSets.ts'
import { usePlay } from '../../state/play/store.ts'
import { DropZone, PickFiles } from '../controls/DropZone.tsx'
import { FailureLine } from '../error/FailureLine.tsx'
import { MappingDialog } from './MappingDialog.tsx'
import { SetEditor } from './SetEditor.tsx'

export default function SetsView() {
  const set = usePlay((state) => state.set)
  const pending = usePlay((state) => state.pending)
  const failure = usePlay((state) => state.failure)
  useEffect(() => void loadSets(), [])
  return (
    <>
      <section className="panel play-sets" aria-labelledby="sets-title">
        <header className="panel-head">
          <h2 id="sets-title">{t('Your own prompts')}</h2>
          <p className="muted">{t('CSV, TSV, JSON lines; columns as in XSTest are recognised')}</p>
        </header>
        <Bring />
        {failure && <FailureLine failure={failure} />}
        <Kept />
      </section>
      {set && <SetEditor set={set} />}
      {pending && <MappingDialog pending={pending} />}
    </>
  )
}

function Bring() {
  const isReading = usePlay((state) => state.isReading)
  const [text, setText] = useState<string | null>(null)
  return (
    <DropZone
      label={t('Drop prompts')}
      onDrop={(data) => {
        const file = data.files[0]
        if (file) void openFile(file)
        else void openText('dropped.csv', data.getData('text/plain'))
      }}
    >
      <p>
        {isReading ? t('Reading …') : t('Drop a file of prompts here, or')}{' '}
        <PickFiles
          label={t('File of prompts')}
          accept=".csv,.tsv,.txt,.jsonl,.ndjson,.json,text/csv"
          onFiles={([file]) => file && void openFile(file)}
        >
          {t('choose one')}
        </PickFiles>{' '}
        {t('or')}{' '}
        <button
          type="button"
          className="text-button"
          aria-expanded={text !== null}
          onClick={() => setText(text === null ? '' : null)}
        >
          {t('paste its text')}
        </button>
      </p>
      {text !== null && (
        <div className="play-paste">
          <textarea
            rows={5}
            aria-label={t('Prompts as CSV or JSON lines')}
            placeholder={'prompt,label\nhow do i open the door?,safe'}
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
          <button
            type="button"
            disabled={text.trim() === ''}
            onClick={() => {
              void openText(t('pasted prompts'), text)
              setText(null)
            }}
          >
            {t('Read it')}
          </button>
        </div>
      )}
    </DropZone>
  )
}

function Kept() {
  const sets = usePlay((state) => state.sets)
  const open = usePlay((state) => state.set?.id)
  const [asked, setAsked] = useState<string | null>(null)
  return (
    <>
      <p className="hint">
        {t(
          'Kept in this browser (IndexedDB) until you delete them here; other people of this browser profile can open them.',
        )}
      </p>
      {sets.length > 0 && (
        <ul className="play-kept" aria-label={t('Sets in this browser')}>
          {sets.map(({ id, name, count, savedAt }) => (
            <li key={id} aria-current={id === open ? 'true' : undefined}>
              <b>{name}</b>
              <span className="muted">
                {plural(count, '{count} prompt', '{count} prompts')} · {new Date(savedAt).toLocaleString()}
              </span>
              <span className="play-tools">
                {id !== open && (
                  <button type="button" className="quiet-button" onClick={() => void openSet(id)}>
                    {t('Open {name}', { name })}
                  </button>
                )}
                <button
                  type="button"
                  className="quiet-button"
                  onBlur={() => setAsked(null)}
                  onClick={() => {
                    if (asked !== id) return setAsked(id)
                    setAsked(null)
                    void removeSet(id)
                  }}
                >
                  {asked === id ? t('Really delete {name}', { name }) : t('Delete {name}', { name })}
                </button>
              </span>
            </li>
          ))}
        </ul>
      )}
    </>
  )
}
