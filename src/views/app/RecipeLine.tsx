// At the top of a narrow page, where the recipe stands under the pictures: which merge they are of, and the way to its
// recipe. Without it the reader of a shared link would have to scroll past everything to learn what it shows.

import { t } from '../../language/translate.ts'
import type { PageName } from '../../share/pageNames.ts'
import { describeRun } from '../../state/pins/describeRun.ts'
import { useHidden } from '../../state/share/presentation.ts'
import { useWork } from './useWork.ts'

/** Brings a part of the page into sight and gives it the focus, so that the next Tab goes on from there. */
export function jumpTo(id: 'main' | 'recipe'): void {
  const part = document.getElementById(id)
  part?.focus({ preventScroll: true })
  // The top of the pictures is the top of the page: its header is wanted too.
  if (id === 'main') scrollTo({ top: 0 })
  else part?.scrollIntoView({ block: 'start' })
}

/** Pages about one merge; the others are about many, or about none. */
const ofOneMerge: readonly PageName[] = ['studio', 'play']

export function RecipeLine({ page }: { page: PageName }) {
  const { experiment, cast, isAsked } = useWork()
  const hidden = useHidden()
  return (
    <div className="recipe-line">
      <p>
        {isAsked && ofOneMerge.includes(page) && <b>{describeRun(experiment)} </b>}
        {cast && (
          <span className="muted">
            {t('{experts} around {anchor}', {
              experts: cast.experts.map(({ name }) => name).join(' + '),
              anchor: cast.anchor.name,
            })}
          </span>
        )}
      </p>
      {!hidden.has('recipe') && (
        <button type="button" onClick={() => jumpTo('recipe')}>
          ↓ {t('Recipe')}
        </button>
      )}
    </div>
  )
}
