import { t } from '../../language/translate.ts'
import { formatSigma } from './formatSigma.ts'
import { type ClusterItem, movedOf } from './pointBook.ts'

/** A point in three lines: whose it is, its prompt, how far it moved. */
export function PointTip({ item, label }: { item: ClusterItem; label: string }) {
  const moved = movedOf(item)
  return (
    <>
      <b>{label}</b>
      {item.text && <q>{item.text.prompt}</q>}
      {item.text?.completion !== undefined && <q className="muted">{item.text.completion}</q>}
      {moved !== undefined && (
        <span className="muted">
          {t('moved {distance} from anchor to merge', { distance: formatSigma(moved) })}
        </span>
      )}
    </>
  )
}
