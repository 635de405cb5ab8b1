import { useMemo, useState } from 'react'
import { t } from '../../language/translate.ts'
import { maxHashCharacters } from '../../share/encode.ts'
import { isExamplePrompt } from '../../share/examplePrompts.ts'
import type { HideablePart } from '../../share/experiment.ts'
import { measurementKey } from '../../share/experimentKey.ts'
import { measurementId } from '../../share/measurement.ts'
import type { Kept } from '../../share/results.ts'
import { currentMerge } from '../../state/plan.ts'
import { embedSnippet, type LinkChoice, makeLink } from '../../state/share/share.ts'
import { useStudio } from '../../state/store.ts'
import { useWork } from '../app/useWork.ts'
import { formatCount } from '../format.ts'
import { CopyText } from './CopyText.tsx'

/** What the link brings along, in words. */
function keptText(kept: Kept): string {
  switch (kept) {
    case 'all':
      return t('with all results')
    case 'this view':
      return t('with all numbers and the clusters of this view')
    case 'two pictures':
      return t('with all numbers and the clusters of anchor and merge')
    case 'one picture':
      return t('with all numbers and the clusters of anchor and merge in this view')
    case 'numbers':
      return t('with all numbers; the clusters do not fit')
    case 'the merge':
      return t('with the numbers of this merge and its models; the sweep does not fit')
    case 'nothing':
      return t('without results: the reader computes them')
  }
}

/** The merge of the page has all its numbers, own or received ones. */
function useIsMeasured(): boolean {
  const { experiment, measurements } = useWork()
  const merge = currentMerge(experiment)
  const found = measurements[measurementId(measurementKey(experiment, merge), merge)]
  return (['aqi', 'behaviour', 'drift'] as const).every((part) => found?.complete.includes(part))
}

/** Made anew while results arrive. */
function useLink(choice: LinkChoice) {
  const runs = useStudio((state) => state.runs.measurements)
  const key = JSON.stringify(choice)
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is measured changes the link
  return useMemo(() => makeLink(choice), [key, runs])
}

const hideChoices = (): { part: HideablePart; label: string }[] => [
  { part: 'library', label: t('Library') },
  { part: 'merge', label: t('Merge') },
  { part: 'models', label: t('Models') },
  { part: 'recipe', label: t('Recipe') },
  { part: 'prompt', label: t('Prompt') },
  { part: 'commands', label: t('Commands') },
  { part: 'export', label: t('Export') },
  { part: 'share', label: t('Share') },
]

export function LinkTab() {
  const prompt = useStudio((state) => state.view.prompt)
  const [hasResults, setResults] = useState(true)
  const [hasPrompt, setPrompt] = useState(false)
  const [hide, setHide] = useState<readonly HideablePart[]>([])
  const link = useLink({ hasResults, hasPrompt, hide })
  const isMeasured = useIsMeasured()
  const isTyped = prompt.trim() !== '' && !isExamplePrompt(prompt)
  return (
    <div className="share-dialog-tab">
      <div className="share-options">
        <label>
          <input type="checkbox" checked={hasResults} onChange={() => setResults(!hasResults)} />
          {t('Results')}
        </label>
        {isTyped && (
          <label>
            <input type="checkbox" checked={hasPrompt} onChange={() => setPrompt(!hasPrompt)} />
            {t('Include my prompt')}
          </label>
        )}
      </div>
      <details>
        <summary>{t('For a class: leave parts of the page out')}</summary>
        <div className="share-options">
          {hideChoices().map(({ part, label }) => (
            <label key={part}>
              <input
                type="checkbox"
                checked={hide.includes(part)}
                onChange={() =>
                  setHide(hide.includes(part) ? hide.filter((one) => one !== part) : [...hide, part])
                }
              />
              {label}
            </label>
          ))}
        </div>
      </details>
      {link && (
        <>
          <p className="share-size">
            {t('{count} of at most {most} characters, {kept}.', {
              count: formatCount(link.hash.length - 1),
              most: formatCount(maxHashCharacters),
              kept: keptText(link.kept),
            })}{' '}
            {t('Tokens, files and prompts of yours are not in it.')}
          </p>
          {hasResults && !isMeasured && (
            <p className="hint is-warning">
              {t('This merge is still being measured: copied now, the link lacks some of its numbers.')}
            </p>
          )}
          <CopyText label={t('Link')} text={link.address} isLine copyLabel={t('Copy link')} />
        </>
      )}
    </div>
  )
}

export function EmbedTab() {
  const link = useLink({ hasResults: true, isEmbed: true })
  if (!link) return null
  return (
    <div className="share-dialog-tab">
      <p className="share-size">
        {t('Charts and numbers without controls, for a lesson or a blog, {kept}.', {
          kept: keptText(link.kept),
        })}
      </p>
      <CopyText
        label={t('Snippet for a page')}
        text={embedSnippet(link.address)}
        copyLabel={t('Copy snippet')}
      />
    </div>
  )
}
