import { t } from '../../language/translate.ts'
import { forgetRemembered, reopenFolder } from '../../state/actions/library.ts'
import { useStudio } from '../../state/store.ts'

/** Folders of earlier visits: the browser wants to be asked before the page may read them again. */
export function RememberedFolders() {
  const folders = useStudio((state) => state.library.folders)
  if (folders.length === 0) return null
  return (
    <ul className="library-folders" aria-label={t('Folders of earlier visits')}>
      {folders.map(({ id, name }) => (
        <li key={id}>
          <span className="library-name">{name}</span>
          <span className="muted">{t('a folder of an earlier visit')}</span>
          <button type="button" onClick={() => void reopenFolder(id)}>
            {t('Ask to read it again')}
          </button>
          <button
            type="button"
            className="icon-button"
            aria-label={t('Forget the folder {name}', { name })}
            title={t('Forget the folder {name}', { name })}
            onClick={() => void forgetRemembered(id)}
          >
            ×
          </button>
        </li>
      ))}
    </ul>
  )
}
