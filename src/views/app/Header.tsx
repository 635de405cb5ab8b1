import { useState } from 'react'
import { copyLink } from '../../state/actions/link.ts'
import { askSecondOpinion, canWriteFolder, downloadZip, writeFolder } from '../../state/actions/requests.ts'
import { cycleTheme, setPage } from '../../state/actions/view.ts'
import type { PageName } from '../../state/slices/view.ts'
import { useStudio } from '../../state/store.ts'
import { EngineChip } from './EngineChip.tsx'
import { JobProgress } from './JobProgress.tsx'

const themeLabels = { system: 'Auto', light: 'Light', dark: 'Dark' } as const

export interface HeaderProps {
  /** There is a merge to share, export and check. */
  isReady: boolean
}

export function Header({ isReady }: HeaderProps) {
  const theme = useStudio((state) => state.view.theme)
  const hasExperiment = useStudio((state) => state.recipe.experiment !== null)
  const [shareText, setShareText] = useState<'Share' | 'Copied' | 'Copy from the address bar'>('Share')
  const share = async () => {
    setShareText((await copyLink()) ? 'Copied' : 'Copy from the address bar')
    setTimeout(() => setShareText('Share'), 2500)
  }
  return (
    <header className="app-header">
      <div className="brand">
        <svg viewBox="0 0 24 24" aria-hidden="true" className="brand-mark">
          <path d="M3 20 L10 4 M21 20 L14 4" className="brand-leg" />
          <path d="M5 15 H19" className="brand-plane" />
          <circle cx="12" cy="15" r="2.6" className="brand-dot" />
        </svg>
        <h1>AlignMerge Studio</h1>
      </div>
      <PageTabs />
      <EngineChip />
      <JobProgress />
      <nav className="app-actions" aria-label="Actions">
        <button
          type="button"
          disabled={!isReady}
          title="Runs the same weights through onnxruntime-web and compares all logits"
          onClick={() => void askSecondOpinion()}
        >
          Second opinion
        </button>
        <ExportMenu isReady={isReady} />
        <button
          type="button"
          className="share-button"
          disabled={!hasExperiment}
          title="Copies a link that holds the whole experiment"
          onClick={() => void share()}
        >
          {shareText}
        </button>
        <button type="button" title="Colours: as the system, light, dark" onClick={cycleTheme}>
          <span className="visually-hidden">Colours: </span>
          {themeLabels[theme]}
        </button>
      </nav>
    </header>
  )
}

const pages: readonly { id: PageName; label: string; title: string }[] = [
  { id: 'studio', label: 'Studio', title: 'One merge: its recipe, its sweep, its numbers' },
  { id: 'compare', label: 'Compare', title: 'All methods side by side on these models' },
  { id: 'library', label: 'Library', title: 'Where models come from, and what is kept in this browser' },
  { id: 'merge', label: 'Merge', title: 'Models of any size, merged from files to files' },
]

function PageTabs() {
  const page = useStudio((state) => state.view.page)
  return (
    <nav className="page-tabs" aria-label="Pages">
      {pages.map(({ id, label, title }) => (
        <button
          key={id}
          type="button"
          title={title}
          aria-current={page === id ? 'page' : undefined}
          onClick={() => setPage(id)}
        >
          {label}
        </button>
      ))}
    </nav>
  )
}

function ExportMenu({ isReady }: { isReady: boolean }) {
  if (!canWriteFolder()) {
    return (
      <button
        type="button"
        disabled={!isReady}
        title="The merge as a Hugging Face folder"
        onClick={() => void downloadZip()}
      >
        Export zip
      </button>
    )
  }
  return (
    <span className="button-pair">
      <button
        type="button"
        disabled={!isReady}
        title="The merge as a Hugging Face folder in a zip"
        onClick={() => void downloadZip()}
      >
        Export zip
      </button>
      <button
        type="button"
        disabled={!isReady}
        title="Writes the merge, file by file, into a folder that you choose"
        onClick={() => void writeFolder()}
      >
        to folder
      </button>
    </span>
  )
}
