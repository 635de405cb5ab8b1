// The page "Merge": models of any size from files to files, without holding one. What is merged by which method, where
// to, within how much memory, and how far it has come.

import { t } from '../../language/translate.ts'
import { useStreamed } from '../../state/streamed/store.ts'
import { FailureLine } from '../error/FailureLine.tsx'
import { KeptMerges } from './KeptMerges.tsx'
import { MergeRun } from './MergeRun.tsx'
import { MergeSettings } from './MergeSettings.tsx'
import { PreflightPanel } from './PreflightPanel.tsx'
import { SourceList } from './SourceList.tsx'
import './streamed.css'

export function StreamedView() {
  const failure = useStreamed((state) => state.failure)
  return (
    <section className="streamed" aria-label={t('Merge to disk')}>
      <header className="streamed-head">
        <h2>{t('Merge to disk')}</h2>
        <p className="muted">
          {t(
            'Models of any size, read in ranges and written in place: no model is ever held whole. A merge that is stopped, or whose tab is closed, goes on at its last finished tensor.',
          )}
        </p>
      </header>
      <SourceList />
      <PreflightPanel />
      <MergeSettings />
      <MergeRun />
      <KeptMerges />
      {failure && <FailureLine failure={failure} />}
    </section>
  )
}
