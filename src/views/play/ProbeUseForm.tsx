// Whether AQI and behaviour are measured on this set, and what a link then says of it.

import { useEffect, useState } from 'react'
import { t } from '../../language/translate.ts'
import { type ProbeUse, promptSetDigest } from '../../share/promptSet.ts'
import { measureOnBuiltIn } from '../../state/actions/ownProbes.ts'
import { type PromptLabel, promptsInUse } from '../../state/play/promptColumns.ts'
import { measureOnSet } from '../../state/play/promptSets.ts'
import type { PromptSet } from '../../state/play/storage.ts'
import { useWork } from '../app/useWork.ts'

/** Of each class; with fewer a separation says little (core/evaluate/aqi.ts). */
const AQI_NEEDS = 64

export function ProbeUseForm({ set, inUse }: { set: PromptSet; inUse: Record<PromptLabel, number> }) {
  const { experiment, isReady } = useWork()
  const [use, setUse] = useState<ProbeUse>('replace')
  const digest = useDigest(set, use)
  const named = experiment.probes?.digest
  const isUsed = named !== undefined && named === digest
  const perClass = experiment.probesPerClass
  return (
    <section className="play-use" aria-labelledby="use-title">
      <h3 id="use-title">{t('Use for probes')}</h3>
      <p className="hint">
        {t(
          'AQI and behaviour are then measured on these prompts, at most {count} of each label drawn by the seed. Fisher information, alignment directions, skills and attacks stay with the built-in probes. Unsafe prompts without answers of their own borrow the built-in pairs, which say nothing of their subject.',
          { count: perClass },
        )}
      </p>
      {use === 'replace' && Math.min(inUse.safe, inUse.unsafe) < AQI_NEEDS && (
        <p className="hint is-warning">
          {t(
            'AQI needs {needed} prompts of each label; of these there are {safe} safe and {unsafe} unsafe. Behaviour is measured all the same.',
            { needed: AQI_NEEDS, safe: inUse.safe, unsafe: inUse.unsafe },
          )}
        </p>
      )}
      <fieldset className="play-choice">
        <legend className="visually-hidden">{t('How they are used')}</legend>
        <label>
          <input type="radio" checked={use === 'replace'} onChange={() => setUse('replace')} />
          {t('in place of the built-in prompts')}
        </label>
        <label>
          <input type="radio" checked={use === 'add'} onChange={() => setUse('add')} />
          {t('first, filled up with built-in ones')}
        </label>
      </fieldset>
      <p className="play-tools">
        <button
          type="button"
          className="primary"
          disabled={!isReady || isUsed || inUse.safe === 0 || inUse.unsafe === 0}
          onClick={() => void measureOnSet(use)}
        >
          {isUsed ? t('In use') : t('Measure on these prompts')}
        </button>
        {named !== undefined && (
          <button type="button" onClick={measureOnBuiltIn}>
            {t('Use the built-in probes')}
          </button>
        )}
        <span className="muted">
          {t('A link names them so, and carries none of them:')} <code>{set.name}</code>{' '}
          <code title={digest}>{digest ? `${digest.slice(0, 12)}…` : '…'}</code>
        </span>
      </p>
    </section>
  )
}

/** Of the set as it is labelled now. */
function useDigest(set: PromptSet, use: ProbeUse): string | undefined {
  const [digest, setDigest] = useState<string>()
  const { rows } = set
  useEffect(() => {
    let isCurrent = true
    void promptSetDigest(promptsInUse(rows), use).then((found) => {
      if (isCurrent) setDigest(found)
    })
    return () => {
      isCurrent = false
    }
  }, [rows, use])
  return digest
}
