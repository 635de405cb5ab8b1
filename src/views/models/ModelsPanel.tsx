// Who takes part: the anchor, the experts with their weights, and a way to bring one's own.

import { memo } from 'react'
import type { Experiment, ModelSummary } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import { originKey } from '../../share/experimentKey.ts'
import { limits, numberParameters } from '../../share/parameters.ts'
import { addExpert, setAnchor, setEqualWeights } from '../../state/actions/recipe.ts'
import { findModel, selectWeights } from '../../state/selectors.ts'
import { WeightSearchView } from '../after/WeightSearchView.tsx'
import { shownName } from '../app/placeholderExperiment.ts'
import { Formula } from '../controls/Formula.tsx'
import { useHelp } from '../controls/HelpToggle.tsx'
import { OriginTag } from '../controls/OriginTag.tsx'
import { SideSection } from '../controls/SideSection.tsx'
import { formatBytes, formatCount } from '../format.ts'
import { BroughtModels } from './BroughtModels.tsx'
import { ExpertRow } from './ExpertRow.tsx'
import { MissingModel } from './LazyMissingModel.tsx'
import { OpenModel } from './OpenModel.tsx'

export interface ModelsPanelProps {
  experiment: Experiment
  list: readonly ModelSummary[]
  isReady: boolean
}

export const ModelsPanel = memo(function ModelsPanel({ experiment, list, isReady }: ModelsPanelProps) {
  const { weight } = numberParameters
  const help = useHelp(
    'weights',
    <p>
      {t(weight.brief)} {weight.detail && t(weight.detail)}
    </p>,
  )
  const weights = selectWeights(experiment)
  const anchor = findModel(list, experiment.anchor)
  const anchorName = shownName(list, experiment.anchor)
  const used = new Set(
    [experiment.anchor, ...experiment.experts.map((expert) => expert.origin)].map(originKey),
  )
  const unused = list.filter((model) => !used.has(originKey(model.origin)))
  const byKey = (key: string) => list.find((model) => originKey(model.origin) === key)
  return (
    <SideSection
      part="models"
      title={t('Models')}
      summary={t('anchor and {count} experts', { count: experiment.experts.length })}
    >
      <div className="field">
        <div className="field-head">
          <label
            htmlFor="anchor-select"
            title={t('The aligned model that the merge starts from and is compared with.')}
          >
            {t('Anchor')} <Formula text="θ_IT" />
          </label>
        </div>
        <select
          id="anchor-select"
          value={anchor ? originKey(anchor.origin) : ''}
          onChange={(event) => {
            const model = byKey(event.target.value)
            if (model) setAnchor(model.origin)
          }}
        >
          {!anchor && (
            <option value="">
              {/* While the list is being read nothing is missing yet. */}
              {list.length > 0 ? t('{name} (not loaded)', { name: anchorName }) : anchorName}
            </option>
          )}
          {list.map((model) => (
            <option key={model.id} value={originKey(model.origin)}>
              {model.name}
            </option>
          ))}
        </select>
        {anchor ? (
          <p className="hint is-line">
            {t('{count} parameters', { count: formatCount(anchor.parameterCount) })} · {anchor.layerCount} ×{' '}
            {anchor.hiddenSize} · {anchor.dtype} · {formatBytes(anchor.byteLength)}
          </p>
        ) : (
          <MissingModel origin={experiment.anchor} list={list} />
        )}
      </div>
      <div className="field">
        <div className="field-head">
          <span>
            {t('Experts')} <Formula text="λₖ" />
          </span>
          <OriginTag source={weight.source} />
          {help.button}
          <span className="field-value">
            <button
              type="button"
              className="quiet-button"
              title={t('The same weight for every expert')}
              onClick={setEqualWeights}
            >
              {t('Equal')}
            </button>
          </span>
        </div>
        {help.lines}
        <ul className="experts">
          {experiment.experts.map((expert, index) => (
            <ExpertRow
              key={originKey(expert.origin)}
              index={index}
              origin={expert.origin}
              weight={weights[index] ?? 0}
              list={list}
              unused={unused}
              isOnly={experiment.experts.length === 1}
            />
          ))}
        </ul>
        {/* Its place is kept while the list is being read. */}
        {(unused.length > 0 || list.length === 0) && experiment.experts.length < limits.maxExperts && (
          <select
            className="add-expert"
            disabled={unused.length === 0}
            aria-label={t('Add an expert')}
            value=""
            onChange={(event) => {
              const model = byKey(event.target.value)
              if (model) addExpert(model.origin)
            }}
          >
            <option value="">{t('+ Add an expert')}</option>
            {unused.map((model) => (
              <option key={model.id} value={originKey(model.origin)}>
                {model.name}
              </option>
            ))}
          </select>
        )}
      </div>
      <WeightSearchView experiment={experiment} isReady={isReady} />
      <OpenModel />
      <BroughtModels experiment={experiment} list={list} />
    </SideSection>
  )
})
