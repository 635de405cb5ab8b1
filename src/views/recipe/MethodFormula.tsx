// The formula of the method under its controls: AlignMerge's objective with its values, or the method's own line.

import { useMemo } from 'react'
import type { Experiment } from '../../../workers/api.ts'
import { methodNotes } from '../../help/index.ts'
import { t } from '../../language/translate.ts'
import { openLearn } from '../../state/learn/actions.ts'
import { selectShownGeometry } from '../../state/share/received.ts'
import { useStudio } from '../../state/store.ts'
import { Formula } from '../controls/Formula.tsx'
import { FormulaView } from '../controls/FormulaView.tsx'
import { objectiveValues } from './objectiveValues.ts'

export default function MethodFormula({ experiment }: { experiment: Experiment }) {
  const geometry = useStudio((state) => selectShownGeometry(state.runs, experiment)?.geometry)
  const values = useMemo(() => objectiveValues(experiment, geometry), [experiment, geometry])
  const note = methodNotes.find(({ id }) => id === experiment.method)
  return (
    <div className="method-note">
      {experiment.method === 'alignmerge' ? (
        <FormulaView
          id="objective"
          values={values}
          worked={values.lambdaBud === '0' ? 'shieldedObjective' : 'objective'}
        />
      ) : (
        note && (
          <p className="method-line">
            <Formula text={t(note.formula)} />
          </p>
        )
      )}
      <button type="button" className="text-button" onClick={() => openLearn('methods', experiment.method)}>
        {t('What this method does')}
      </button>
    </div>
  )
}
