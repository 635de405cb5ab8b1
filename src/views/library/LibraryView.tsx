// Where models come from and what of them is kept: a form to add one, the room there is, and the list.

import { useEffect } from 'react'
import { t } from '../../language/translate.ts'
import { openLibrary } from '../../state/actions/library.ts'
import { useStudio } from '../../state/store.ts'
import { AddModel } from './AddModel.tsx'
import { LibraryRow } from './LibraryRow.tsx'
import { RememberedFolders } from './RememberedFolders.tsx'
import { RoomBar } from './RoomBar.tsx'

export function LibraryView() {
  const status = useStudio((state) => state.library.status)
  const models = useStudio((state) => state.library.models)
  useEffect(() => void openLibrary(), [])
  return (
    <div className="library">
      <section className="panel" aria-labelledby="library-add">
        <div className="panel-head">
          <h2 id="library-add">{t('Add a model')}</h2>
        </div>
        <AddModel />
      </section>
      <section
        className="panel"
        aria-labelledby="library-models"
        aria-busy={status.kind === 'closed' || status.kind === 'opening'}
      >
        <div className="panel-head">
          <h2 id="library-models">{t('Models')}</h2>
          <RoomBar />
        </div>
        {status.kind === 'failed' && (
          <p className="panel-alert" role="alert">
            {status.failure.message}
          </p>
        )}
        {models.length === 0 ? (
          <p className="library-empty muted">
            {status.kind === 'ready'
              ? t(
                  'Nothing here yet. A model that is added is read by ranges from where it lies; keep it, and it is here without a network.',
                )
              : t('Reading what is kept in this browser')}
          </p>
        ) : (
          <ul className="library-list" aria-label={t('Models of the library')}>
            {models.map((model) => (
              <LibraryRow key={model.key} model={model} />
            ))}
          </ul>
        )}
        <RememberedFolders />
      </section>
    </div>
  )
}
