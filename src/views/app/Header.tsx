import { lazy, Suspense } from 'react'
import { t } from '../../language/translate.ts'
import { setPage } from '../../state/actions/view.ts'
import { openDialog, openPalette, useDialogs } from '../../state/dialogs.ts'
import { useHidden } from '../../state/share/presentation.ts'
import { useStudio } from '../../state/store.ts'
import { pages } from '../pages.ts'
import { EngineChip } from './EngineChip.tsx'
import { ExportMenu } from './ExportMenu.tsx'
import { JobProgress } from './JobProgress.tsx'
import { SettingsMenu } from './SettingsMenu.tsx'
import { shortcutText } from './shortcuts.ts'
import { UndoButtons } from './UndoButtons.tsx'

const Palette = lazy(() => import('../palette/Palette.tsx'))
const ShareDialog = lazy(() => import('../share/ShareDialog.tsx'))
const Shortcuts = lazy(() => import('../palette/Shortcuts.tsx'))

export interface HeaderProps {
  /** There is a merge to share, export and check. */
  isReady: boolean
}

export function Header({ isReady }: HeaderProps) {
  const hasExperiment = useStudio((state) => state.recipe.experiment !== null)
  const dialog = useDialogs((state) => state.open)
  const hidden = useHidden()
  return (
    <header className="app-header">
      <div className="brand">
        <svg viewBox="0 0 24 24" aria-hidden="true" className="brand-mark">
          <path d="M3 20 L10 4 M21 20 L14 4" className="brand-leg" />
          <path d="M5 15 H19" className="brand-plane" />
          <circle cx="12" cy="15" r="2.6" className="brand-dot" />
        </svg>
        <h1>
          AlignMerge <span className="brand-rest">{t('Studio')}</span>
        </h1>
      </div>
      <PageTabs />
      <EngineChip />
      <JobProgress />
      <nav className="app-actions" aria-label={t('Actions')}>
        {!hidden.has('undo') && <UndoButtons />}
        {!hidden.has('commands') && (
          <button
            type="button"
            className="search-button"
            title={t('Everything that can be done here, by name')}
            onClick={openPalette}
          >
            {t('Commands')} <kbd>{shortcutText('K')}</kbd>
          </button>
        )}
        {!hidden.has('export') && <ExportMenu isReady={isReady} />}
        {!hidden.has('share') && (
          <button
            type="button"
            className="share-button"
            disabled={!hasExperiment}
            title={t('A link with the results, a frame for a lesson, the recipe for other tools')}
            onClick={() => openDialog('share')}
          >
            {t('Share')}
          </button>
        )}
        <SettingsMenu />
      </nav>
      {dialog === 'palette' && (
        <Suspense>
          <Palette />
        </Suspense>
      )}
      {dialog === 'share' && (
        <Suspense>
          <ShareDialog />
        </Suspense>
      )}
      {dialog === 'shortcuts' && (
        <Suspense>
          <Shortcuts />
        </Suspense>
      )}
    </header>
  )
}

function PageTabs() {
  const page = useStudio((state) => state.view.page)
  const hidden = useHidden()
  return (
    <nav className="page-tabs" aria-label={t('Pages')}>
      {pages
        .filter(({ id }) => id === page || !hidden.has(id))
        .map(({ id, label, title }) => (
          <button
            key={id}
            type="button"
            title={t(title)}
            aria-current={page === id ? 'page' : undefined}
            onClick={() => setPage(id)}
          >
            {t(label)}
          </button>
        ))}
    </nav>
  )
}
