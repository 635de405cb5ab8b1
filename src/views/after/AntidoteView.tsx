// The antidote after the merge: a slider, the budget search, and in which layers it works.

import type { Experiment } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import { mergeKey } from '../../share/experimentKey.ts'
import { numberParameters } from '../../share/parameters.ts'
import { askAntidote, searchEnd } from '../../state/actions/afterMerge.ts'
import { setNumber } from '../../state/actions/recipe.ts'
import { useMissing } from '../../state/needs.ts'
import { useStudio } from '../../state/store.ts'
import { ParameterField } from '../controls/ParameterField.tsx'
import { SideSection } from '../controls/SideSection.tsx'
import { formatParameter } from '../format.ts'

export function AntidoteView({ experiment, isReady }: { experiment: Experiment; isReady: boolean }) {
  const found = useStudio((state) => state.runs.antidote)
  const report = found?.mergeKey === mergeKey(experiment) ? found.report : undefined
  const missing = useMissing('antidote')
  const highest = Math.max(0, ...(report?.byLayer ?? []))
  return (
    <SideSection
      title={t('After the merge')}
      summary={
        experiment.antidote > 0
          ? t('antidote {share} %', { share: formatParameter(experiment.antidote) })
          : t('no antidote')
      }
    >
      <ParameterField
        parameter={numberParameters.antidote}
        value={experiment.antidote}
        // What a link has set can be put back.
        disabledReason={experiment.antidote === 0 ? missing : undefined}
        onChange={(value) => setNumber('antidote', value)}
      />
      <div className="field-row">
        <button
          type="button"
          disabled={!isReady || missing !== undefined}
          title={
            missing ??
            t(
              'The shortest antidote that restores refusal on probes kept for accepting, without loss of help',
            )
          }
          onClick={() => void askAntidote(true)}
        >
          {t('Find the least')}
        </button>
        <button
          type="button"
          disabled={!isReady || missing !== undefined || experiment.antidote === 0}
          title={t('How far each layer is moved')}
          onClick={() => void askAntidote(false)}
        >
          {t('By layer')}
        </button>
      </div>
      {missing && <p className="caption">{missing}</p>}
      {report && (
        <>
          {report.stage && (
            <p className="caption">{t('Search ended: {stage}.', { stage: searchEnd(report.stage) })}</p>
          )}
          <ol className="layer-bars" aria-label={t('Length of the antidote by layer, % of ‖θ‖')}>
            {report.byLayer.map((length, layer) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a layer is its index
              <li key={layer}>
                <span>{layer}</span>
                <span className="bar" style={{ width: `${highest > 0 ? (100 * length) / highest : 0}%` }} />
                <output>{length.toFixed(2)}</output>
              </li>
            ))}
          </ol>
        </>
      )}
    </SideSection>
  )
}
