import type { ModelOrigin, ModelSummary } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import { originKey } from '../../share/experimentKey.ts'
import { numberParameters } from '../../share/parameters.ts'
import { removeExpert, replaceExpert, setWeight } from '../../state/actions/recipe.ts'
import { findModel } from '../../state/selectors.ts'
import { shownName } from '../app/placeholderExperiment.ts'
import { NumberInput } from '../controls/NumberInput.tsx'
import { Slider } from '../controls/Slider.tsx'
import { MissingModel } from './LazyMissingModel.tsx'

export interface ExpertRowProps {
  index: number
  origin: ModelOrigin
  /** Share of the whole, 0 … 1. */
  weight: number
  list: readonly ModelSummary[]
  /** Models that could stand here instead. */
  unused: readonly ModelSummary[]
  isOnly: boolean
}

export function ExpertRow({ index, origin, weight, list, unused, isOnly }: ExpertRowProps) {
  const model = findModel(list, origin)
  const name = shownName(list, origin)
  const { weight: parameter } = numberParameters
  return (
    <li className="expert">
      <div className="expert-head">
        <select
          aria-label={t('Expert {number}', { number: index + 1 })}
          title={model ? t(model.description) : name}
          data-role={model?.role}
          value={originKey(origin)}
          onChange={(event) => {
            const chosen = unused.find((other) => originKey(other.origin) === event.target.value)
            if (chosen) replaceExpert(index, chosen.origin)
          }}
        >
          <option value={originKey(origin)}>
            {model || list.length === 0 ? name : t('{name} (not loaded)', { name })}
          </option>
          {unused.map((other) => (
            <option key={other.id} value={originKey(other.origin)}>
              {other.name}
            </option>
          ))}
        </select>
        <button
          type="button"
          className="icon-button"
          aria-label={t('Remove {name}', { name })}
          title={isOnly ? t('A merge needs one expert at least') : t('Remove {name}', { name })}
          disabled={isOnly}
          onClick={() => removeExpert(index)}
        >
          ×
        </button>
      </div>
      <div className="expert-weight" title={t(parameter.brief)}>
        <var>λ{subscripts[index]}</var>
        <Slider
          label={t('Weight of {name}', { name })}
          parameter={parameter}
          value={weight}
          valueText={weight.toFixed(2)}
          isDisabled={isOnly}
          onChange={(value) => setWeight(index, value)}
        />
        <NumberInput
          label={t('Weight of {name}, as a number', { name })}
          value={Number(weight.toFixed(3))}
          min={0}
          max={1}
          step={parameter.step}
          isDisabled={isOnly}
          onChange={(value) => setWeight(index, value)}
        />
      </div>
      {!model && list.length > 0 && <MissingModel origin={origin} list={list} />}
    </li>
  )
}

const subscripts = ['₁', '₂', '₃', '₄', '₅', '₆', '₇', '₈']
