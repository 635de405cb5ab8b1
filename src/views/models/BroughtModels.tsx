import type { Experiment, ModelSummary } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import { originKey } from '../../share/experimentKey.ts'
import { isOpenedAtStart } from '../../share/families.ts'
import { limits } from '../../share/parameters.ts'
import { closeModel } from '../../state/actions/models.ts'
import { addExpert } from '../../state/actions/recipe.ts'
import { formatBytes } from '../format.ts'

export interface BroughtModelsProps {
  experiment: Experiment
  list: readonly ModelSummary[]
}

/** Models that the user opened: they can join as experts, or be let go. */
export function BroughtModels({ experiment, list }: BroughtModelsProps) {
  const brought = list.filter((model) => !isOpenedAtStart(model.origin))
  if (brought.length === 0) return null
  const used = new Set(
    [experiment.anchor, ...experiment.experts.map((expert) => expert.origin)].map(originKey),
  )
  const isFull = experiment.experts.length >= limits.maxExperts
  return (
    <ul className="brought" aria-label={t('Opened models')}>
      {brought.map((model) => {
        const isUsed = used.has(originKey(model.origin))
        return (
          <li key={model.id}>
            <span className="brought-name" title={`${model.architecture}, ${formatBytes(model.byteLength)}`}>
              {model.name}
            </span>
            {isUsed ? (
              <span className="muted">{t('in use')}</span>
            ) : (
              <button type="button" disabled={isFull} onClick={() => addExpert(model.origin)}>
                {t('Add as expert')}
              </button>
            )}
            <button
              type="button"
              className="icon-button"
              aria-label={t('Close {name}', { name: model.name })}
              title={isUsed ? t('The experiment needs it') : t('Close {name}', { name: model.name })}
              disabled={isUsed}
              onClick={() => void closeModel(model)}
            >
              ×
            </button>
          </li>
        )
      })}
    </ul>
  )
}
