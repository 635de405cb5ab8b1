// How the models become one and where the result goes: method and parameters as methods declare them, stored type,
// folder, and the memory that may be used.

import { useId } from 'react'
import type { VocabularyChoice, WrittenAs } from '../../../workers/streamedApi.ts'
import { t } from '../../language/translate.ts'
import {
  findMethod,
  methodDeclarations,
  numberControl,
  ownParameters,
  type ParameterDeclaration,
  parameterValue,
} from '../../share/methods.ts'
import type { NumberParameter } from '../../share/parameters.ts'
import {
  canPickDirectory,
  pickDirectory,
  setPrivateTarget,
  setStreamed,
  setStreamedMethod,
  setStreamedParameter,
} from '../../state/streamed/actions.ts'
import { DEFAULT_BUDGET_MB, type StreamedState, useStreamed } from '../../state/streamed/store.ts'
import { ChoiceField } from '../controls/ChoiceField.tsx'
import { ParameterField } from '../controls/ParameterField.tsx'
import { SwitchField } from '../controls/SwitchField.tsx'
import { formatBytes } from '../format.ts'

/** Methods that need nothing but weights: what is computed from whole models is not there. */
const streamable = methodDeclarations.filter(({ material }) => material.length === 0)

const budgetParameter: NumberParameter = {
  label: 'Memory budget',
  symbol: '',
  min: 250,
  max: 8000,
  default: DEFAULT_BUDGET_MB,
  step: 50,
  unit: 'MB',
  scale: { kind: 'log' },
  isInteger: true,
  source: 'ours',
  brief: 'Host and device together. Tensors are cut into tiles that fit a share of it.',
  detail:
    'The browser itself, copies in its queues and garbage need the rest, so tiles take a quarter of it at most.',
}

const option = <T extends string>(value: T, label: string, brief = '') => ({
  ...{ value, label, brief },
  source: 'standard' as const,
})

const writtenParameter = {
  ...{ label: 'Written as', symbol: '', source: 'standard' as const },
  default: 'safetensors' as WrittenAs,
  brief:
    'GGUF is written from the merged weights when they are complete, and what its rounding did is listed.',
  options: [
    option<WrittenAs>('safetensors', 'safetensors'),
    option<WrittenAs>('gguf-f16', 'GGUF F16'),
    option<WrittenAs>('gguf-q8_0', 'GGUF Q8_0'),
    option<WrittenAs>('gguf-q4_0', 'GGUF Q4_0'),
  ],
}

const vocabularyParameter = () => ({
  ...{ label: 'Vocabulary', symbol: '', source: 'standard' as const },
  default: 'same' as VocabularyChoice,
  brief:
    'Embedding and head are brought to it row by row; a row that a model lacks comes from one that has it.',
  options: [
    option<VocabularyChoice>('same', t('as it is'), t('All models must have the same one.')),
    option<VocabularyChoice>('union', t('all tokens'), t('Every token of every model.')),
    option<VocabularyChoice>('base', t('the base’s'), t('Tokens of the base alone, or of the first model.')),
  ],
})

export function MergeSettings() {
  const state = useStreamed()
  const id = useId()
  const { method, parameters, storedAs, writtenAs, vocabulary, budget, status } = state
  const declaration = findMethod(method)
  return (
    <fieldset className="streamed-settings" disabled={status.kind === 'running'}>
      <legend className="visually-hidden">{t('Settings of the merge')}</legend>
      <div className="streamed-card">
        <h3>
          <label htmlFor={id}>{t('Method')}</label>
        </h3>
        <select id={id} value={method} onChange={(event) => setStreamedMethod(event.target.value)}>
          {streamable.map(({ id: value, label }) => (
            <option key={value} value={value}>
              {t(label)}
            </option>
          ))}
        </select>
        {declaration && <p className="caption">{t(declaration.brief)}</p>}
        {declaration &&
          ownParameters(declaration).map((declared) => (
            <OwnField
              key={declared.id}
              declared={declared}
              value={parameterValue(parameters, declared)}
              onChange={(value) => setStreamedParameter(declared.id, value)}
            />
          ))}
      </div>
      <div className="streamed-card">
        <h3>{t('Result')}</h3>
        <ChoiceField
          parameter={{
            label: 'Stored as',
            symbol: '',
            default: 'bfloat16',
            brief: 'Element type of the written weights; arithmetic is in float32 and rounds once.',
            source: 'standard',
            options: (['bfloat16', 'float16', 'float32'] as const).map((value) => ({
              value,
              label: value,
              brief: '',
              source: 'standard',
            })),
          }}
          value={storedAs}
          onChange={(value) => setStreamed({ storedAs: value })}
        />
        <ChoiceField
          parameter={writtenParameter}
          value={writtenAs}
          onChange={(value) => setStreamed({ writtenAs: value })}
        />
        <ChoiceField
          parameter={vocabularyParameter()}
          value={vocabulary}
          onChange={(value) => setStreamed({ vocabulary: value })}
        />
        <TargetField state={state} />
        <ParameterField
          parameter={budgetParameter}
          value={budget}
          onChange={(value) => setStreamed({ budget: value })}
        />
        <EstimateLine state={state} />
      </div>
    </fieldset>
  )
}

function OwnField({
  declared,
  value,
  onChange,
}: {
  declared: ParameterDeclaration
  value: number | boolean | string
  onChange: (value: number | boolean | string) => void
}) {
  const { label, brief, source } = declared
  if (declared.kind === 'number')
    return <ParameterField parameter={numberControl(declared)} value={Number(value)} onChange={onChange} />
  if (declared.kind === 'switch')
    return (
      <SwitchField label={label} brief={brief} source={source} value={value === true} onChange={onChange} />
    )
  const options = declared.options.map((option) => ({ ...option, source: 'standard' as const }))
  const parameter = { label, symbol: '', default: declared.default, brief, source, options }
  return <ChoiceField parameter={parameter} value={String(value)} onChange={onChange} />
}

function TargetField({ state: { target } }: { state: StreamedState }) {
  const id = useId()
  return (
    <div className="field">
      <div className="field-head">
        <label htmlFor={id}>
          {target.kind === 'private' ? t('Folder in this browser') : t('Folder on the disk')}
        </label>
      </div>
      <div className="streamed-target">
        <input
          id={id}
          type="text"
          value={target.name}
          readOnly={target.kind === 'directory'}
          onChange={(event) => setPrivateTarget(event.target.value)}
        />
        {canPickDirectory() && (
          <button type="button" className="quiet-button" onClick={() => void pickDirectory()}>
            {t('Choose a folder')}
          </button>
        )}
        {target.kind === 'directory' && (
          <button type="button" className="quiet-button" onClick={() => setPrivateTarget('merge')}>
            {t('Keep in the browser')}
          </button>
        )}
      </div>
    </div>
  )
}

/** What the merge takes, or why it does not fit. */
function EstimateLine({ state: { estimate } }: { state: StreamedState }) {
  if (!estimate) return null
  const { tensors, bytes, readBytes, largestTiles, refusal } = estimate
  if (refusal !== undefined) return <p className="streamed-error">{refusal}</p>
  const cut = largestTiles > 1 ? t('the largest in {count} tiles', { count: largestTiles }) : t('each whole')
  return (
    <p className="hint">
      {t('Fits: {tensors} tensors, {cut}; reads {read}, writes {written}.', {
        tensors,
        cut,
        read: formatBytes(readBytes),
        written: formatBytes(bytes),
      })}
    </p>
  )
}
