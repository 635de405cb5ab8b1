import { useId } from 'react'
import type { ClassifierChoice, LabellerSummary } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import { chooseClasses } from '../../state/actions/labeller.ts'

type Classifier = Extract<LabellerSummary['source'], { kind: 'onnx' }>['classifier']

export interface ClassifierFieldsProps {
  classifier: Classifier
  gives: LabellerSummary['gives']
}

const readings = () =>
  [
    { value: 'answer', label: t('the answer alone') },
    { value: 'pair', label: t('prompt and answer') },
  ] as const
const activations = () =>
  [
    { value: 'softmax', label: t('softmax: one class of all') },
    { value: 'sigmoid', label: t('sigmoid: each class by itself') },
  ] as const

/** Which class means what, and how the classifier is read. Every change opens it anew, under a digest of its own. */
export function ClassifierFields({ classifier, gives }: ClassifierFieldsProps) {
  const { toxicLabel, goodLabel, reads, activation } = classifier
  const classes = classifier.classes.map((name) => ({ value: name, label: name }))
  const choose = (change: ClassifierChoice) =>
    void chooseClasses({ toxicLabel, goodLabel, reads, activation, ...change })
  return (
    <div className="classifier-fields">
      {gives.length === 0 && (
        <p className="hint is-warning">
          {t('No class is called toxic, unsafe, helpful or the like: choose below.')}
        </p>
      )}
      <Select
        label={t('Toxic is')}
        value={toxicLabel}
        options={classes}
        onChange={(name) => choose({ toxicLabel: name })}
      />
      <Select
        label={t('Good is')}
        value={goodLabel}
        options={classes}
        onChange={(name) => choose({ goodLabel: name })}
      />
      <Select
        label={t('Reads')}
        value={reads}
        options={readings()}
        onChange={(value) => choose({ reads: value })}
      />
      <Select
        label={t('Scores by')}
        value={activation}
        options={activations()}
        onChange={(value) => choose({ activation: value })}
      />
    </div>
  )
}

interface SelectProps<T extends string> {
  label: string
  value: T | undefined
  options: readonly { value: T; label: string }[]
  onChange: (value: T) => void
}

function Select<T extends string>({ label, value, options, onChange }: SelectProps<T>) {
  const id = useId()
  return (
    <div className="classifier-field">
      <label htmlFor={id}>{label}</label>
      <select
        id={id}
        value={value ?? ''}
        onChange={(event) => {
          const found = options.find((option) => option.value === event.target.value)
          if (found) onChange(found.value)
        }}
      >
        {value === undefined && <option value="">{t('none found')}</option>}
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    </div>
  )
}
