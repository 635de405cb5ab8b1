// A link in a frame: its charts and numbers to be read, nothing to be set. With results in the link nothing is computed
// and no model is fetched.

import { t } from '../../language/translate.ts'
import { encodeLink } from '../../share/encode.ts'
import { fitResults } from '../../share/results.ts'
import { describeRun } from '../../state/pins/describeRun.ts'
import { sharedState, shownResults } from '../../state/share/collect.ts'
import { useStudio } from '../../state/store.ts'
import { useWork } from '../app/useWork.ts'
import { NumbersPanel, SidePanels, SweepPanel } from '../studio/MergePanels.tsx'
import './share.css'
import './embed.css'

/** The same in the studio, with all that this frame knows. */
function studioAddress(): string {
  const state = sharedState()
  const results = shownResults()
  const hash = !state ? '' : results ? fitResults(state, results).hash : encodeLink(state)
  return `${location.pathname}${hash}`
}

export default function EmbedPage() {
  const work = useWork()
  const { experiment, cast, isAsked } = work
  const hasReceived = useStudio((state) => state.runs.received.length > 0)
  const errors = useStudio((state) => state.runs.errors)
  return (
    <main id="main" className="embed">
      <header className="embed-head">
        <h1>{isAsked ? describeRun(experiment) : 'AlignMerge Studio'}</h1>
        {cast && (
          <p className="muted">
            {t('{experts} around {anchor}', {
              experts: cast.experts.map(({ name }) => name).join(' + '),
              anchor: cast.anchor.name,
            })}
            {hasReceived && `, ${t('results from the link')}`}
          </p>
        )}
        {isAsked && (
          <a href={studioAddress()} target="_blank" rel="noopener">
            {t('Open in the studio')}
          </a>
        )}
      </header>
      {errors.map(({ id, failure }) => (
        <p key={id} role="alert" className="is-warning">
          {failure.message}
        </p>
      ))}
      <div className="charts">
        <SweepPanel work={work} />
        <SidePanels work={work} />
      </div>
      <NumbersPanel work={work} />
    </main>
  )
}
