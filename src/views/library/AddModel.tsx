// The ways to name a model: repository or address with revision and token, a dropped folder, a picked one.

import { type FormEvent, useState } from 'react'
import { t } from '../../language/translate.ts'
import { addFolder, addModel, dismissAddFailure, stopAdding } from '../../state/actions/library.ts'
import { readModelText } from '../../state/actions/modelText.ts'
import { PUBLIC_HUB, setToken } from '../../state/actions/tokens.ts'
import { canPickFolder, pickFolder } from '../../state/folderHandles.ts'
import { useStudio } from '../../state/store.ts'
import { DropZone, PickFiles } from '../controls/DropZone.tsx'
import { collectDropped } from '../models/droppedFiles.ts'

export function AddModel() {
  const [text, setText] = useState('')
  const [revision, setRevision] = useState('')
  const [token, setTokenText] = useState('')
  const [hub, setHub] = useState('')
  const [reason, setReason] = useState('')
  const adding = useStudio((state) => state.library.adding)
  const failure = useStudio((state) => state.library.addFailure)
  const tokenHubs = useStudio((state) => state.library.tokenHubs)
  const isTokenKnown = tokenHubs.includes(hub.trim().replace(/\/+$/, '') || PUBLIC_HUB)
  const problem = reason || failure?.message

  const submit = async (event: FormEvent) => {
    event.preventDefault()
    const read = readModelText(text, revision, hub)
    dismissAddFailure()
    setReason('reason' in read ? read.reason : '')
    if ('reason' in read) return
    const { spec } = read
    if (spec.kind === 'hub' && token.trim() !== '') {
      setToken(spec.hub, token)
      // In memory from here on; a form that still held it could be saved by the browser.
      setTokenText('')
    }
    const label =
      spec.kind === 'hub'
        ? t('{name} at {revision}', { name: spec.repo, revision: spec.revision })
        : text.trim()
    if (await addModel(spec, t('Reading {name}', { name: label }))) {
      setText('')
      setRevision('')
    }
  }
  return (
    <>
      <form className="add-model" onSubmit={(event) => void submit(event)}>
        <label className="add-name">
          {t('Repository or address')}
          <input
            type="text"
            value={text}
            required
            spellCheck={false}
            autoCapitalize="off"
            autoComplete="off"
            placeholder={t('owner/name, owner/name@revision or https://…')}
            aria-describedby="add-model-status"
            onChange={(event) => setText(event.target.value)}
          />
        </label>
        <label>
          {t('Revision')}
          <input
            type="text"
            value={revision}
            spellCheck={false}
            autoCapitalize="off"
            autoComplete="off"
            placeholder="main"
            onChange={(event) => setRevision(event.target.value)}
          />
        </label>
        <label>
          {t('Access token')}
          <input
            type="password"
            value={token}
            autoComplete="off"
            placeholder={isTokenKnown ? t('given for this visit') : t('for gated models')}
            title={t('Held in memory until this page is closed; sent to the hub alone')}
            onChange={(event) => setTokenText(event.target.value)}
          />
        </label>
        <label>
          {t('Hub')}
          <input
            type="text"
            inputMode="url"
            value={hub}
            spellCheck={false}
            autoCapitalize="off"
            autoComplete="off"
            placeholder={t('huggingface.co')}
            title={t('Another hub that speaks the same language, such as a mirror')}
            onChange={(event) => setHub(event.target.value)}
          />
        </label>
        {adding ? (
          <button type="button" onClick={stopAdding}>
            {t('Cancel')}
          </button>
        ) : (
          <button type="submit" className="primary" disabled={text.trim() === ''}>
            {t('Add')}
          </button>
        )}
      </form>
      <p
        id="add-model-status"
        className={`add-status ${problem && !adding ? 'is-bad' : 'muted'}`}
        role={problem && !adding ? 'alert' : 'status'}
      >
        {adding ??
          problem ??
          t('Only headers are read: a few requests. The token stays in memory and goes to the hub alone.')}
      </p>
      <FolderDrop />
    </>
  )
}

/** Dropped folders are remembered where the browser gives handles; dropped files are open until the page is closed. */
function FolderDrop() {
  const addFiles = (files: File[]) => {
    if (files.length > 0) void addModel({ kind: 'files', files }, t('Reading the folder'))
  }
  const pick = async () => {
    if (!canPickFolder()) return false
    const handle = await pickFolder()
    if (handle) await addFolder(handle)
    return true
  }
  return (
    <DropZone
      label={t('Drop zone for a model folder')}
      onDrop={(data) =>
        void collectDropped(data).then((dropped) =>
          dropped.folder ? addFolder(dropped.folder) : addFiles(dropped.files),
        )
      }
    >
      {t('Drop a model’s folder or files here, or')}{' '}
      <PickFiles label={t('Folder for the library')} onFiles={addFiles} open={pick}>
        {t('choose a folder')}
      </PickFiles>
      {t('. It stays where it is.')}
    </DropZone>
  )
}
