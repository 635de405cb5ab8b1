// Own pairs: pasted, dropped, or picked; what was read of them, and what was not.

import { useId, useRef, useState } from 'react'
import { plural, t } from '../../language/translate.ts'
import { takeOwnPairs } from '../../state/training/actions.ts'
import { useTraining } from '../../state/training/store.ts'
import { DropZone, PickFiles } from '../controls/DropZone.tsx'
import { MAX_BYTES, readPairs } from './readPairs.ts'

export function OwnPairsField({ isFixed }: { isFixed: boolean }) {
  const own = useTraining((state) => state.own)
  const [text, setText] = useState('')
  const id = useId()
  /** Texts given so far: what is read of one that was replaced meanwhile is dropped. */
  const given = useRef(0)
  const read = async (name: string, content: string) => {
    const mine = ++given.current
    setText(content.length > 20_000 ? '' : content)
    const own = content.trim() === '' ? null : await readPairs(name, content)
    if (mine === given.current) takeOwnPairs(own)
  }
  const readFile = async (file: File | undefined) => {
    if (!file) return
    if (file.size > MAX_BYTES) {
      const size = (file.size / 1e6).toFixed(1)
      takeOwnPairs({
        ...{ name: file.name, pairs: [] },
        problems: [t('{name} has {size} MB, at most 4 MB are read', { name: file.name, size })],
      })
      return
    }
    await read(file.name.replace(/\.\w+$/, ''), await file.text())
  }
  return (
    <DropZone label={t('Own pairs')} onDrop={(data) => void readFile(data.files[0])}>
      <label htmlFor={id}>{t('Pairs of prompt and answer')}</label>
      <textarea
        id={id}
        rows={5}
        spellCheck={false}
        disabled={isFixed}
        value={text}
        placeholder={'prompt,answer\nwhat is the capital of france?,paris'}
        onChange={(event) => void read(t('My own pairs'), event.target.value)}
      />
      <p className="caption">
        {t('CSV, JSON or JSONL with prompt and answer in each row; drop a file here, or')}{' '}
        <PickFiles
          label={t('File of pairs')}
          accept=".csv,.tsv,.json,.jsonl,.txt"
          onFiles={(files) => void readFile(files[0])}
        >
          {t('choose one')}
        </PickFiles>
        .
      </p>
      <p className="caption" aria-live="polite">
        {own && plural(own.pairs.length, '{count} pair is read.', '{count} pairs are read.')}{' '}
        {own && own.problems.length > 0 && (
          <span className="training-problem">{own.problems.join(' · ')}</span>
        )}
      </p>
    </DropZone>
  )
}
