import { use, useMemo } from 'react'
import { t } from '../../language/translate.ts'
import { useStudio } from '../../state/store.ts'
import { CopyText } from './CopyText.tsx'

const loaded = import('../../share/recipeText.ts')

/** The experiment for other tools and for the command line. */
export function RecipeTab() {
  const experiment = useStudio((state) => state.recipe.experiment)
  const { recipeText } = use(loaded)
  const recipe = useMemo(() => experiment && recipeText(experiment), [experiment, recipeText])
  if (!recipe) return null
  return (
    <div className="share-dialog-tab">
      <p className="share-size">
        {recipe.isMergekit
          ? t('A recipe that mergekit reads, with every parameter written out.')
          : t('AlignMerge’s own dialect of mergekit’s recipes: mergekit itself does not read all of it.')}
      </p>
      <CopyText label={t('Recipe')} text={recipe.yaml} copyLabel={t('Copy recipe')} file="recipe.yml" />
      {recipe.notes.map((note) => (
        <p key={note} className="hint">
          {t(note)}
        </p>
      ))}
      <p>{t('The command that carries it out:')}</p>
      <CopyText label={t('Command')} text={recipe.command} isLine copyLabel={t('Copy command')} />
    </div>
  )
}
