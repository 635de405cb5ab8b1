// How the models become one: method, shield, geometry, measuring. Every control reads its range from the table of
// parameters.

import { Suspense } from 'react'
import type { Experiment } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import {
  type ChoiceParameter,
  choiceParameters,
  numberParameters,
  sweepGrid,
} from '../../share/parameters.ts'
import { resetExperiment, setChoice, setFisher, setNumber } from '../../state/actions/recipe.ts'
import { useStudio } from '../../state/store.ts'
import { AntidoteView } from '../after/AntidoteView.tsx'
import { ChoiceField } from '../controls/ChoiceField.tsx'
import { ParameterField } from '../controls/ParameterField.tsx'
import { SideSection } from '../controls/SideSection.tsx'
import { formatParameter } from '../format.ts'
import { lazyAfterCharts } from '../lazyInTurn.ts'
import { AlignStatus } from './AlignStatus.tsx'
import { MethodField } from './MethodField.tsx'

const MethodFormula = lazyAfterCharts(() => import('./MethodFormula.tsx'))

/** The option that is chosen, small, as it stands in a summary. */
const chosenName = <T extends string>({ options }: ChoiceParameter<T>, chosen: T): string =>
  t(options.find(({ value }) => value === chosen)?.label ?? chosen).toLowerCase()

export function RecipePanel({ experiment, isReady }: { experiment: Experiment; isReady: boolean }) {
  const hasShield = experiment.method === 'alignmerge'
  const page = useStudio((state) => state.view.page)
  return (
    <>
      {page === 'compare' ? (
        <ComparedNote />
      ) : (
        <>
          <SideSection part="method" title={t('Method')} summary={experiment.method} isAlwaysOpen>
            <MethodField experiment={experiment} />
            <AlignStatus experiment={experiment} />
            {hasShield && (
              <>
                <ParameterField
                  parameter={numberParameters.lambdaAlign}
                  value={experiment.lambdaAlign}
                  stops={sweepGrid}
                  onChange={(value) => setNumber('lambdaAlign', value)}
                />
                <ParameterField
                  parameter={numberParameters.rank}
                  value={experiment.rank}
                  onChange={(value) => setNumber('rank', value)}
                />
              </>
            )}
            <Suspense fallback={<div style={{ minHeight: 96 }} />}>
              <MethodFormula experiment={experiment} />
            </Suspense>
          </SideSection>
          <AntidoteView experiment={experiment} isReady={isReady} />
        </>
      )}
      <SideSection
        part="geometry"
        title={t('Geometry')}
        summary={`G ${chosenName(choiceParameters.metric, experiment.metric)}, ρ ${formatParameter(experiment.damping)}, A ${chosenName(choiceParameters.source, experiment.source)}`}
      >
        <ChoiceField
          parameter={choiceParameters.metric}
          value={experiment.metric}
          onChange={(metric) => setChoice('metric', metric)}
        />
        <ParameterField
          parameter={numberParameters.damping}
          value={experiment.damping}
          disabledReason={
            experiment.metric === 'identity' ? t('The identity metric needs no damping') : undefined
          }
          onChange={(value) => setNumber('damping', value)}
        />
        <ChoiceField
          parameter={choiceParameters.source}
          value={experiment.source}
          onChange={(source) => setChoice('source', source)}
        />
        <ChoiceField
          parameter={choiceParameters.labels}
          value={experiment.fisher.labels}
          onChange={(labels) => setFisher({ labels })}
        />
        <ChoiceField
          parameter={choiceParameters.form}
          value={experiment.fisher.form}
          onChange={(form) => setFisher({ form })}
        />
      </SideSection>
      <SideSection
        part="measuring"
        title={t('Measuring')}
        summary={t('{count} probes per class, seed {seed}', {
          count: experiment.probesPerClass,
          seed: experiment.seed,
        })}
      >
        <ParameterField
          parameter={numberParameters.probesPerClass}
          value={experiment.probesPerClass}
          onChange={(value) => setNumber('probesPerClass', value)}
        />
        <ParameterField
          parameter={numberParameters.seed}
          value={experiment.seed}
          hasSlider={false}
          onChange={(value) => setNumber('seed', value)}
        />
        <button type="button" className="quiet-button" onClick={resetExperiment}>
          {t('Back to the defaults')}
        </button>
      </SideSection>
    </>
  )
}

/** In place of one method's controls, where all methods are shown. */
function ComparedNote() {
  return (
    <section className="side-section">
      <h2>{t('Method')}</h2>
      <p className="hint">
        {t('All of them, at settings of their authors or of mergekit. Open one from the table to change it.')}
      </p>
    </section>
  )
}
