import { type FormEvent, useId, useState } from 'react'
import { t } from '../../language/translate.ts'
import { PUBLIC_HUB, tokenFor } from '../../state/actions/tokens.ts'
import { type PushStatus, pushMerge, stopPush, usePush } from '../../state/share/push.ts'
import { useStudio } from '../../state/store.ts'
import { useWork } from '../app/useWork.ts'

/** The merge to a repository of one's own. */
export function PushTab() {
  const { isReady } = useWork()
  const status = usePush((state) => state.status)
  const id = useId()
  const [repo, setRepo] = useState('')
  const [hub, setHub] = useState('')
  // Typed here it is used once; a token that was given in the library stands in for it.
  const [token, setToken] = useState('')
  const [isPrivate, setPrivate] = useState(true)
  const known = tokenFor(hub.trim() || undefined)
  const isRunning = status.kind === 'running'
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const address = hub.trim()
    void pushMerge({
      ...{ repo: repo.trim(), token: token.trim() || (known ?? ''), isPrivate },
      ...(address !== '' && address !== PUBLIC_HUB && { hub: address }),
    })
    setToken('')
  }
  const isMissing = repo.trim() === '' || (token.trim() === '' && known === undefined)
  return (
    <form className="share-dialog-tab" onSubmit={submit}>
      <p className="share-size">
        {t(
          'Writes the merge and uploads it in one commit, with its card. The token is used for this and kept nowhere.',
        )}
      </p>
      <div className="push-form">
        <label htmlFor={`${id} repo`}>{t('Repository')}</label>
        <input
          id={`${id} repo`}
          value={repo}
          placeholder={t('owner/name')}
          autoComplete="off"
          spellCheck={false}
          onChange={(event) => setRepo(event.target.value)}
        />
        <label htmlFor={`${id} token`}>{t('Token that may write')}</label>
        <input
          id={`${id} token`}
          type="password"
          value={token}
          autoComplete="off"
          placeholder={known === undefined ? 'hf_…' : t('as given in the library')}
          onChange={(event) => setToken(event.target.value)}
        />
        <label htmlFor={`${id} hub`}>{t('Hub')}</label>
        <input
          id={`${id} hub`}
          value={hub}
          placeholder={PUBLIC_HUB}
          autoComplete="off"
          spellCheck={false}
          onChange={(event) => setHub(event.target.value)}
        />
        <span />
        <label>
          <input type="checkbox" checked={isPrivate} onChange={() => setPrivate(!isPrivate)} />{' '}
          {t('Private, where the repository is new')}
        </label>
      </div>
      <Status status={status} />
      <div className="dialog-actions">
        {isRunning ? (
          <button type="button" onClick={stopPush}>
            {t('Cancel')}
          </button>
        ) : (
          <button type="submit" className="primary" disabled={!isReady || isMissing}>
            {t('Push the merge')}
          </button>
        )}
      </div>
    </form>
  )
}

function Status({ status }: { status: PushStatus }) {
  const job = useStudio((state) => state.runs.job)
  switch (status.kind) {
    case 'idle':
      return null
    case 'running': {
      const share = job?.id === status.jobId && job.total > 0 ? job.done / job.total : undefined
      return (
        <p className="share-row">
          <progress value={share} max={1} aria-label={t('Progress of the upload')} />
          {share !== undefined && `${Math.round(100 * share)} %`}
        </p>
      )
    }
    case 'done':
      return (
        <p role="status">
          {status.pushed.isUpdate ? t('A new commit is at') : t('It is at')}{' '}
          <a href={status.pushed.url} target="_blank" rel="noopener noreferrer">
            {status.pushed.url}
          </a>{' '}
          ({status.pushed.commit.slice(0, 7)})
        </p>
      )
    case 'stopped':
      return <p role="status">{t('Stopped; nothing was committed.')}</p>
    case 'failed':
      return (
        <p role="alert" className="is-warning">
          {status.failure.message}
        </p>
      )
  }
}
