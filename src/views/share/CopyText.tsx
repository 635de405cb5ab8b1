// A text that leaves the page: read, copied, saved.

import { useState } from 'react'
import { t } from '../../language/translate.ts'
import { copyText, saveFile } from '../../state/share/share.ts'

export interface CopyTextProps {
  label: string
  text: string
  /** short texts that are one line */ isLine?: boolean
  /** words of the copy button */ copyLabel: string
  /** name of the file, where it can be saved */ file?: string
}

export function CopyText({ label, text, isLine = false, copyLabel, file }: CopyTextProps) {
  const [copied, setCopied] = useState<'no' | 'yes' | 'manual'>('no')
  const copy = async () => {
    setCopied((await copyText(text)) ? 'yes' : 'manual')
    setTimeout(() => setCopied('no'), 2500)
  }
  const words = { no: copyLabel, yes: t('Copied'), manual: t('Select and copy it') }
  return (
    <>
      <textarea
        className={`share-text${isLine ? ' is-line' : ''}`}
        readOnly
        aria-label={label}
        value={text}
        spellCheck={false}
        onFocus={(event) => event.currentTarget.select()}
      />
      <div className="dialog-actions">
        {file !== undefined && (
          <button type="button" onClick={() => saveFile(file, text)}>
            {t('Save as {name}', { name: file })}
          </button>
        )}
        <button type="button" className="primary" onClick={() => void copy()}>
          {words[copied]}
        </button>
      </div>
    </>
  )
}
