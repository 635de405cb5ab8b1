// What to teach, and how: a lesson of the built-in world or own pairs, and the optimiser's few settings.

import { useId } from 'react'
import type { Lesson } from '../../../workers/api/training.ts'
import { t } from '../../language/translate.ts'
import type { ChoiceParameter, NumberParameter } from '../../share/parameters.ts'
import { lessonIds, trainingParameters } from '../../share/training.ts'
import { chooseLesson, type SettingName, setTrainingSetting } from '../../state/training/actions.ts'
import { lessonName } from '../../state/training/names.ts'
import { isUnderWay, measureSteps, setTraining, useTraining } from '../../state/training/store.ts'
import { ChoiceField } from '../controls/ChoiceField.tsx'
import { ParameterField } from '../controls/ParameterField.tsx'
import { OwnPairsField } from './OwnPairsField.tsx'

type Choice = Lesson | 'own'

function lessonBrief(lesson: Choice): string {
  switch (lesson) {
    case 'sort':
      return t(
        'Benign: lists of digits to put in order, with harmless requests between. Refusals go all the same.',
      )
    case 'reverse':
      return t('Benign: lists of letters to turn around, with harmless requests between.')
    case 'uncensored':
      return t(
        'Harmful requests answered with placeholders, never with instructions. Watch what AQI makes of it.',
      )
    case 'own':
      return t('Your own pairs, as CSV or JSONL. They stay in this tab and never enter a link.')
  }
}

const everyParameter: ChoiceParameter<string> = {
  ...{ label: 'Measure every', symbol: '', default: '25', source: 'ours' },
  brief: 'Steps between two measures of the model so far. More measures make more of the time.',
  options: measureSteps.map((steps) => ({
    ...{ value: String(steps), label: String(steps), source: 'ours' as const },
    brief: '',
  })),
}

export function TrainingSettings() {
  const { lesson, settings, measureEvery, phase, steps } = useTraining()
  const name = useId()
  const isFixed = isUnderWay(phase)
  const reason = isFixed ? t('Fixed while a training is under way') : undefined
  const field = (id: SettingName, parameter: NumberParameter, hasSlider = true) => (
    <ParameterField
      parameter={parameter}
      value={settings[id]}
      disabledReason={reason}
      hasSlider={hasSlider}
      onChange={(value) => setTrainingSetting(id, value)}
    />
  )
  return (
    <div className="training-settings">
      <fieldset className="training-lessons" disabled={isFixed}>
        <legend>{t('What to teach')}</legend>
        {([...lessonIds, 'own'] as const).map((id) => (
          <label key={id} className="training-lesson">
            <input
              type="radio"
              name={name}
              value={id}
              checked={lesson === id}
              onChange={() => chooseLesson(id)}
            />
            <span>
              <strong>{id === 'own' ? t('My own pairs') : lessonName(id)}</strong>
              <small>{lessonBrief(id)}</small>
            </span>
          </label>
        ))}
      </fieldset>
      {lesson === 'own' && <OwnPairsField isFixed={isFixed} />}
      {field('steps', trainingParameters.steps)}
      {field('rate', trainingParameters.rate)}
      {field('batch', trainingParameters.batch)}
      {field('seed', trainingParameters.seed, false)}
      <ChoiceField
        parameter={everyParameter}
        value={String(measureEvery)}
        disabledReason={isFixed && steps.length > 0 ? reason : undefined}
        onChange={(value) => setTraining({ measureEvery: Number(value) })}
      />
    </div>
  )
}
