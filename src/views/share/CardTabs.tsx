import { useMemo } from 'react'
import { t } from '../../language/translate.ts'
import { bibtex, modelCard } from '../../share/modelCard.ts'
import { originName } from '../../state/selectors.ts'
import { useStudio } from '../../state/store.ts'
import { CopyText } from './CopyText.tsx'

/** README.md of the merge, as the export writes it. */
export function CardTab() {
  const experiment = useStudio((state) => state.recipe.experiment)
  const list = useStudio((state) => state.models.list)
  const card = useMemo(
    () =>
      experiment &&
      modelCard({
        ...experiment,
        anchor: originName(list, experiment.anchor),
        experts: experiment.experts.map(({ origin, weight }) => ({ name: originName(list, origin), weight })),
      }),
    [experiment, list],
  )
  return card ? (
    <CopyText label={t('Model card')} text={card} copyLabel={t('Copy card')} file="README.md" />
  ) : null
}

export function CiteTab() {
  return (
    <CopyText
      label={t('Citations, BibTeX')}
      text={bibtex}
      copyLabel={t('Copy BibTeX')}
      file="alignmerge.bib"
    />
  )
}
