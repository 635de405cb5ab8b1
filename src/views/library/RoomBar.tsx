import { t } from '../../language/translate.ts'
import { useStudio } from '../../state/store.ts'
import { formatBytes } from '../format.ts'

/** What the browser gives this page, and how much of it is taken. */
export function RoomBar() {
  const { used, limit } = useStudio((state) => state.library.room)
  const isPersistent = useStudio((state) => state.library.isPersistent)
  if (used === null || limit === null || limit === 0)
    return <p className="room muted">{t('this browser does not say how much it can keep')}</p>
  const free = Math.max(0, limit - used)
  const text = t('{used} used, {free} free', { used: formatBytes(used), free: formatBytes(free) })
  const promise =
    isPersistent === true
      ? t('kept until you delete it')
      : isPersistent === false
        ? t('may be cleared when the disk is full')
        : ''
  return (
    <div className="room">
      <meter
        className="room-bar"
        min={0}
        max={limit}
        high={0.9 * limit}
        value={used}
        aria-label={t('Room in this browser')}
        title={text}
      />
      <span>
        {text}
        {promise && <span className="muted"> · {promise}</span>}
      </span>
    </div>
  )
}
