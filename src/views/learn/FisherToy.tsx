// The Fisher metric where everything can be seen: models with two weights, twelve requests, exact algebra.

import { useId, useMemo } from 'react'
import { solveToy } from '../../core/toy/fisherToy.ts'
import type { SymbolValues } from '../../help/index.ts'
import { t } from '../../language/translate.ts'
import { type NumberParameter, numberParameters, sweepGrid } from '../../share/parameters.ts'
import { resetToy, setToy, setToyWeight } from '../../state/learn/actions.ts'
import { type Toy, useLearn } from '../../state/learn/store.ts'
import { Formula } from '../controls/Formula.tsx'
import { FormulaView } from '../controls/FormulaView.tsx'
import { Slider } from '../controls/Slider.tsx'
import { formatParameter, formatSignificant } from '../format.ts'
import { HelpText } from './HelpText.tsx'
import { RequestPlane } from './RequestPlane.tsx'
import { ToyAlgebra, ToyNumbers } from './ToyNumbers.tsx'
import { WeightPlane } from './WeightPlane.tsx'

export default function FisherToy() {
  const toy = useLearn((state) => state.toy)
  const solution = useMemo(() => solveToy(toy), [toy])
  const values = useMemo(
    (): SymbolValues => ({
      lambdaAlign: formatParameter(toy.lambdaAlign),
      share: formatSignificant(solution.share),
      rho: formatParameter(toy.damping),
      D: formatSignificant(solution.drift),
      Lgeo: formatSignificant(solution.geometric),
      Lalign: formatSignificant(solution.alignment),
    }),
    [toy, solution],
  )
  return (
    <section className="panel toy" aria-labelledby="toy-title">
      <header className="panel-head">
        <h2 id="toy-title">{t('The Fisher metric in two weights')}</h2>
        <button type="button" className="quiet-button" onClick={resetToy}>
          {t('Back to the beginning')}
        </button>
      </header>
      <HelpText
        text={t(
          'A model here is two weights θ. It refuses a request x with probability 1/(1 + exp(−θᵀx)). Drag requests, [experts](#expert) and the [anchor](#anchor), or focus them and press arrow keys; everything else follows, by the large model’s own formulas.',
        )}
      />
      <div className="toy-planes">
        <figure>
          <RequestPlane toy={toy} solution={solution} />
          <figcaption className="caption">
            {t(
              'Requests. Squares are harmful and should be refused. Lines: where anchor, average and merge change from helping to refusing.',
            )}
          </figcaption>
        </figure>
        <figure>
          <WeightPlane toy={toy} solution={solution} />
          <figcaption className="caption">
            {t(
              'Models. An ellipse joins the models that differ from its centre by an eighth of a nat over all requests, to second order.',
            )}
          </figcaption>
        </figure>
        <div className="toy-controls">
          <ToyControls toy={toy} />
          <ToyAlgebra solution={solution} />
        </div>
      </div>
      <ToyLegend />
      <ToyNumbers toy={toy} solution={solution} />
      <div className="toy-formulas">
        <FormulaView id="logisticFisher" values={values} />
        <FormulaView id="shareRemoved" values={values} worked="shareRemoved" />
        <FormulaView id="closedForm" values={values} />
        <FormulaView id="fisherMean" />
      </div>
    </section>
  )
}

function ToyControls({ toy }: { toy: Toy }) {
  const first = toy.experts[0]!.weight
  return (
    <>
      <Field
        parameter={numberParameters.lambdaAlign}
        value={toy.lambdaAlign}
        stops={sweepGrid}
        onChange={(lambdaAlign) => setToy({ lambdaAlign })}
      />
      <Field
        parameter={{ ...numberParameters.weight, label: 'Weight of expert 1', symbol: 'λ₁' }}
        value={first}
        onChange={setToyWeight}
      />
      <Switch
        legend={t('Metric')}
        value={toy.metric}
        options={[
          { value: 'fisher', label: t('Fisher') },
          { value: 'identity', label: t('Identity') },
        ]}
        onChange={(metric) => setToy({ metric })}
      />
      <Switch
        legend={t('Rank')}
        value={String(toy.rank)}
        options={[
          { value: '1', label: '1' },
          { value: '2', label: '2' },
        ]}
        onChange={(rank) => setToy({ rank: rank === '2' ? 2 : 1 })}
      />
    </>
  )
}

interface FieldProps {
  parameter: NumberParameter
  value: number
  stops?: readonly number[]
  onChange: (value: number) => void
}

function Field({ parameter, value, stops, onChange }: FieldProps) {
  return (
    <div className="field">
      <div className="field-head">
        <span aria-hidden="true">
          {t(parameter.label)} <Formula text={parameter.symbol} />
        </span>
        <output className="field-value">{formatParameter(value)}</output>
      </div>
      <Slider
        label={t(parameter.label)}
        parameter={parameter}
        value={value}
        valueText={formatParameter(value)}
        {...(stops && { stops })}
        onChange={onChange}
      />
    </div>
  )
}

interface SwitchProps<T extends string> {
  legend: string
  value: T
  options: readonly { value: T; label: string }[]
  onChange: (value: T) => void
}

function Switch<T extends string>({ legend, value, options, onChange }: SwitchProps<T>) {
  const name = useId()
  return (
    <fieldset className="field">
      <legend>{legend}</legend>
      <div className="switch">
        {options.map((option) => (
          <label key={option.value} data-checked={option.value === value || undefined}>
            <input
              type="radio"
              name={name}
              checked={option.value === value}
              onChange={() => onChange(option.value)}
            />
            {option.label}
          </label>
        ))}
      </div>
    </fieldset>
  )
}

const legend = () =>
  [
    { mark: 'anchor', text: t('anchor') },
    { mark: 'expert', text: t('experts') },
    { mark: 'average', text: t('plain average') },
    { mark: 'fisher', text: t('Fisher average') },
    { mark: 'merge', text: t('merge') },
    { mark: 'direction', text: t('direction u') },
    { mark: 'kept', text: t('no motion along u') },
  ] as const

function ToyLegend() {
  return (
    <ul className="legend toy-legend">
      {legend().map(({ mark, text }) => (
        <li key={mark}>
          <svg viewBox="0 0 16 12" aria-hidden="true" className="toy-key" data-mark={mark}>
            {mark === 'anchor' && <rect x={3} y={1} width={10} height={10} />}
            {(mark === 'expert' || mark === 'merge') && <circle cx={8} cy={6} r={5} />}
            {mark === 'average' && <path d="M8 0L14 6L8 12L2 6Z" />}
            {mark === 'fisher' && <path d="M8 1L14 11H2Z" />}
            {(mark === 'direction' || mark === 'kept') && <path d="M0 6H16" />}
          </svg>
          {text}
        </li>
      ))}
    </ul>
  )
}
