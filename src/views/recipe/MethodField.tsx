// The method and its own parameters: controls are made from what the method declares of itself.

import { useId } from 'react'
import type { Experiment } from '../../../workers/api.ts'
import { plural, t } from '../../language/translate.ts'
import { originKey } from '../../share/experimentKey.ts'
import {
  findMethod,
  type MethodDeclaration,
  methodDeclarations,
  misfit,
  missingWithoutDevice,
  neededReferences,
  numberControl,
  ownParameters,
  type ParameterDeclaration,
  parameterValue,
} from '../../share/methods.ts'
import { setMethod, setParameter, setReference } from '../../state/actions/recipe.ts'
import { useMissing } from '../../state/needs.ts'
import { useStudio } from '../../state/store.ts'
import { ChoiceField } from '../controls/ChoiceField.tsx'
import { OriginTag } from '../controls/OriginTag.tsx'
import { ParameterField } from '../controls/ParameterField.tsx'
import { SwitchField } from '../controls/SwitchField.tsx'

const groupOrder: readonly MethodDeclaration['group'][] = [
  'alignment',
  'averages',
  'sphere',
  'task vectors',
  'spectral',
  'data',
  'safety',
  'sequential',
]

/** Chooses among all declared methods; those that do not fit the number of experts say why. */
/** How many experts a method takes. */
const needsText = ({ min, max }: MethodDeclaration['experts']): string =>
  min === max
    ? plural(min, 'needs exactly {count} expert', 'needs exactly {count} experts')
    : t('needs {min} to {max} experts', { min, max })

export function MethodField({ experiment }: { experiment: Experiment }) {
  const id = useId()
  const declaration = findMethod(experiment.method)
  const count = experiment.experts.length
  const noDevice = useMissing('methods')
  return (
    <>
      <div className="field">
        <label htmlFor={id} className="visually-hidden">
          {t('Method')}
        </label>
        <select id={id} value={experiment.method} onChange={(event) => setMethod(event.target.value)}>
          {groupOrder.map((group) => (
            <optgroup key={group} label={t(group)}>
              {methodDeclarations
                .filter((method) => method.group === group)
                .map((method) => {
                  const unfit =
                    (misfit(method, count) === undefined ? undefined : needsText(method.experts)) ??
                    (noDevice && missingWithoutDevice(method) ? t('needs WebGPU') : undefined)
                  return (
                    <option key={method.id} value={method.id} disabled={unfit !== undefined}>
                      {t(method.label)}
                      {unfit && ` (${unfit})`}
                    </option>
                  )
                })}
            </optgroup>
          ))}
        </select>
        {declaration && (
          <p className="caption">
            {t(declaration.brief)}{' '}
            {declaration.source.url ? (
              <a href={declaration.source.url} target="_blank" rel="noreferrer">
                {t(declaration.source.text)}
              </a>
            ) : (
              t(declaration.source.text)
            )}{' '}
            <OriginTag source={declaration.provenance} />
          </p>
        )}
      </div>
      <ReferenceFields experiment={experiment} />
      {declaration && <DeclaredFields declaration={declaration} experiment={experiment} />}
    </>
  )
}

/** AlignMerge's own parameters take gradients, all of them; those of other methods need no more than the method. */
function DeclaredFields({
  declaration,
  experiment,
}: {
  declaration: MethodDeclaration
  experiment: Experiment
}) {
  const noGradients = useMissing('alignRounds')
  const missing = declaration.id === 'alignmerge' ? noGradients : undefined
  return (
    <>
      {missing && <p className="hint">{missing}</p>}
      {ownParameters(declaration).map((declared) => (
        <DeclaredField key={declared.id} declared={declared} experiment={experiment} missing={missing} />
      ))}
    </>
  )
}

const referenceLabels = {
  aligned: { label: 'Aligned model', brief: 'Its difference from the anchor is added.' },
  unaligned: {
    label: 'Unaligned model',
    brief: 'The anchor minus this model spans the directions of alignment.',
  },
} as const

/** The further models that a method needs. */
function ReferenceFields({ experiment }: { experiment: Experiment }) {
  const list = useStudio((state) => state.models.list)
  const id = useId()
  return neededReferences(experiment.method).map((role) => {
    const { label, brief } = referenceLabels[role]
    const chosen = experiment.references[role]
    return (
      <div key={role} className="field" title={t(brief)}>
        <label htmlFor={`${id}-${role}`}>{t(label)}</label>
        <select
          id={`${id}-${role}`}
          value={chosen ? originKey(chosen) : ''}
          onChange={(event) => {
            const model = list.find((candidate) => originKey(candidate.origin) === event.target.value)
            if (model) setReference(role, model.origin)
          }}
        >
          {!chosen && <option value="">{t('choose one')}</option>}
          {list.map((model) => (
            <option key={model.id} value={originKey(model.origin)}>
              {model.name}
            </option>
          ))}
        </select>
      </div>
    )
  })
}

/** Why a parameter would change nothing at these settings. */
function withoutEffect({ needs }: ParameterDeclaration, experiment: Experiment): string | undefined {
  const needed = findMethod(experiment.method)?.parameters.find(({ id }) => id === needs)
  return needed && parameterValue(experiment.parameters, needed) === needed.default
    ? t('Changes nothing without: {label}', { label: t(needed.label) })
    : undefined
}

interface DeclaredFieldProps {
  declared: ParameterDeclaration
  experiment: Experiment
  /** why the engine at hand cannot do what it asks for */
  missing: string | undefined
}

function DeclaredField({ declared, experiment, missing }: DeclaredFieldProps) {
  const value = parameterValue(experiment.parameters, declared)
  // What a link has set can be put back.
  const disabledReason =
    value === declared.default ? (missing ?? withoutEffect(declared, experiment)) : undefined
  const { id, label, brief, source } = declared
  switch (declared.kind) {
    case 'number':
      return (
        <ParameterField
          parameter={numberControl(declared)}
          value={Number(value)}
          disabledReason={disabledReason}
          onChange={(next) => setParameter(id, next)}
        />
      )
    case 'switch':
      return (
        <SwitchField
          label={label}
          brief={brief}
          source={source}
          value={value === true}
          disabledReason={disabledReason}
          onChange={(next) => setParameter(id, next)}
        />
      )
    case 'choice':
      return (
        <ChoiceField
          parameter={{
            label,
            symbol: declared.symbol ?? '',
            default: declared.default,
            brief,
            source,
            options: declared.options.map((option) => ({ ...option, source: 'standard' })),
          }}
          value={String(value)}
          disabledReason={disabledReason}
          onChange={(next) => setParameter(id, next)}
        />
      )
  }
}
