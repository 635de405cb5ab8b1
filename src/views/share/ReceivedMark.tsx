// In the head of a panel: that what it shows was not computed here. Empty, with no room of its own, once it was.

import type { Experiment, Subject } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import type { PartName } from '../../share/measurement.ts'
import { type Provenance, provenanceOf } from '../../state/share/received.ts'
import { useStudio } from '../../state/store.ts'

export interface ReceivedMarkProps {
  /** what the panel shows: whose results, and which part of them */
  shown: readonly { experiment: Experiment; subject: Subject; part: PartName }[]
}

export function ReceivedMark({ shown }: ReceivedMarkProps) {
  const origins = useStudio(({ runs }) => {
    if (runs.received.length === 0) return ''
    const found = shown.map(({ experiment, subject, part }) => provenanceOf(runs, experiment, subject, part))
    return [...new Set(found.filter((one): one is Provenance => one !== undefined))].sort().join(' ')
  })
  const isPartly = origins.includes('own')
  const text = origins.includes('link')
    ? isPartly
      ? t('partly from the link')
      : t('from the link')
    : origins.includes('shipped')
      ? isPartly
        ? t('partly precomputed')
        : t('precomputed')
      : undefined
  return text === undefined ? null : <span className="received-mark">{text}</span>
}
