import { forgetRemembered, reopenFolder } from '../../state/actions/library.ts'
import { useStudio } from '../../state/store.ts'

/** Folders of earlier visits: the browser wants to be asked before the page may read them again. */
export function RememberedFolders() {
  const folders = useStudio((state) => state.library.folders)
  if (folders.length === 0) return null
  return (
    <ul className="library-folders" aria-label="Folders of earlier visits">
      {folders.map(({ id, name }) => (
        <li key={id}>
          <span className="library-name">{name}</span>
          <span className="muted">a folder of an earlier visit</span>
          <button type="button" onClick={() => void reopenFolder(id)}>
            Ask to read it again
          </button>
          <button
            type="button"
            className="icon-button"
            aria-label={`Forget the folder ${name}`}
            title={`Forget the folder ${name}`}
            onClick={() => void forgetRemembered(id)}
          >
            ×
          </button>
        </li>
      ))}
    </ul>
  )
}
