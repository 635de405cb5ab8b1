import { useId } from 'react'
import { t } from '../../language/translate.ts'
import { setMaxNewTokens, setSampling } from '../../state/play/chat.ts'
import { usePlay } from '../../state/play/store.ts'
import { NumberInput } from '../controls/NumberInput.tsx'

interface Field {
  id: 'temperature' | 'topK' | 'topP' | 'repetitionPenalty' | 'seed'
  /** English; shown through t() */
  label: string
  title: string
  min: number
  max: number
  step: number
  isInteger?: true
  /** says nothing of greedy answers */
  isOfSamples: boolean
}

const fields: readonly Field[] = [
  {
    ...{ id: 'temperature', label: 'Temperature', min: 0, max: 5, step: 0.1, isOfSamples: false },
    title: '0 is greedy: always the likeliest token. Above, logits are divided by it and a token is drawn.',
  },
  {
    ...{ id: 'topK', label: 'Top-k', min: 0, max: 1000, step: 1, isInteger: true, isOfSamples: true },
    title: 'Draw from the k likeliest tokens alone; 0 is all.',
  },
  {
    ...{ id: 'topP', label: 'Top-p', min: 0.01, max: 1, step: 0.05, isOfSamples: true },
    title: 'Draw from the fewest likeliest tokens whose shares reach p; 1 is all.',
  },
  {
    ...{ id: 'repetitionPenalty', label: 'Repetition', min: 1, max: 3, step: 0.05, isOfSamples: false },
    title: 'Logits of tokens that were there are divided by it where positive, else multiplied; 1 is none.',
  },
  {
    ...{ id: 'seed', label: 'Seed', min: 0, max: 1e9, step: 1, isInteger: true, isOfSamples: true },
    title: 'The same seed, question and weights give the same answer. All models share one noise.',
  },
]

export function SamplingFields({ isDisabled }: { isDisabled: boolean }) {
  const id = useId()
  const sampling = usePlay((state) => state.sampling)
  const maxNewTokens = usePlay((state) => state.maxNewTokens)
  const isGreedy = sampling.temperature === 0
  return (
    <fieldset className="play-sampling" disabled={isDisabled}>
      <legend className="visually-hidden">{t('How answers are drawn')}</legend>
      {fields.map(({ id: name, label, title, min, max, step, isInteger, isOfSamples }) => (
        <div key={name} title={t(title)} data-off={(isOfSamples && isGreedy) || undefined}>
          <label htmlFor={`${id}${name}`}>{t(label)}</label>
          <NumberInput
            id={`${id}${name}`}
            label={t(label)}
            value={sampling[name]}
            {...{ min, max, step }}
            isDisabled={isOfSamples && isGreedy}
            onChange={(value) => setSampling({ [name]: isInteger ? Math.round(value) : value })}
          />
        </div>
      ))}
      <div title={t('Answers are cut off here, and where the positions of a model end.')}>
        <label htmlFor={`${id}tokens`}>{t('Most tokens')}</label>
        <NumberInput
          id={`${id}tokens`}
          label={t('Most tokens')}
          value={maxNewTokens}
          min={1}
          max={512}
          step={1}
          onChange={(value) => setMaxNewTokens(Math.round(value))}
        />
      </div>
      <p className="muted">{isGreedy ? t('greedy') : t('sampled, repeatable by seed')}</p>
    </fieldset>
  )
}
