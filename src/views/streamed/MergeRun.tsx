// Start, pause, stop, and how far the merge has come.

import type { StreamedResult } from '../../../workers/streamedApi.ts'
import { plural, t } from '../../language/translate.ts'
import { useMissing } from '../../state/needs.ts'
import { startMerge, stopMerge, togglePause } from '../../state/streamed/actions.ts'
import { streamedFault, useStreamed } from '../../state/streamed/store.ts'
import { TableScroll } from '../controls/TableScroll.tsx'
import { formatBytes, formatSignificant } from '../format.ts'

export function MergeRun() {
  const state = useStreamed()
  const { status } = state
  const missing = useMissing('streamedMerge')
  const fault = missing ?? (state.parts.length === 0 ? t('Add the models first') : streamedFault(state))
  const refusal = state.estimate?.refusal
  return (
    <section className="streamed-card" aria-label={t('Progress of the merge')}>
      <p className="streamed-actions">
        {status.kind === 'running' ? (
          <>
            <button type="button" onClick={togglePause}>
              {status.isPaused ? t('Go on') : t('Pause')}
            </button>
            <button type="button" onClick={stopMerge}>
              {t('Stop')}
            </button>
          </>
        ) : (
          <button
            type="button"
            className="primary"
            disabled={fault !== undefined || refusal !== undefined || status.kind === 'opening'}
            onClick={() => void startMerge()}
          >
            {status.kind === 'stopped' ? t('Go on with the merge') : t('Merge')}
          </button>
        )}
        <span className="muted">{status.kind === 'running' ? '' : (fault ?? '')}</span>
      </p>
      <StatusLine />
    </section>
  )
}

const duration = (seconds: number): string =>
  seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`

function StatusLine() {
  const status = useStreamed((state) => state.status)
  if (status.kind === 'opening') return <p className="muted">{t('Reading headers …')}</p>
  if (status.kind === 'done') {
    const { bytes, seconds, files, peakBytes, digest, resumedTensors, rounded, notes } = status.result
    return (
      <>
        <p role="status" className="streamed-result">
          {t('Written: {size} in {files}, {time}; at most {peak} in buffers', {
            size: formatBytes(bytes),
            files: plural(files.length, '{count} file', '{count} files'),
            time: duration(seconds),
            peak: formatBytes(peakBytes),
          })}
          {resumedTensors > 0 && `; ${t('{count} tensors were there already', { count: resumedTensors })}`}.{' '}
          {t('SHA-256 of the weights')} <code>{digest}</code>
        </p>
        {notes.map((note) => (
          <p key={note} className="hint">
            {note}
          </p>
        ))}
        {rounded.length > 0 && <RoundingTable rounded={rounded} />}
      </>
    )
  }
  if (status.kind === 'idle' || !status.progress)
    return status.kind === 'running' ? <p className="muted">{t('Beginning …')}</p> : null
  const { tensors, totalTensors, bytes, totalBytes, bytesPerSecond, secondsLeft, peakBytes, resumedTensors } =
    status.progress
  const isPaused = status.kind === 'running' && status.isPaused
  return (
    <div>
      <progress aria-label={t('Bytes written')} value={bytes} max={totalBytes} />
      <p className="hint">
        {[
          t('{done} of {total} tensors', { done: tensors, total: totalTensors }),
          t('{done} of {total}', { done: formatBytes(bytes), total: formatBytes(totalBytes) }),
          `${formatBytes(bytesPerSecond)}/s`,
          status.kind === 'running' && !isPaused && t('{time} left', { time: duration(secondsLeft) }),
          isPaused && t('paused'),
          status.kind === 'stopped' && t('stopped, what is finished stays'),
          resumedTensors > 0 && t('{count} were there already', { count: resumedTensors }),
          t('at most {peak} in buffers', { peak: formatBytes(peakBytes) }),
        ]
          .filter(Boolean)
          .join(' · ')}
      </p>
    </div>
  )
}

/** What the coarser format did to each weight, worst first. */
function RoundingTable({ rounded }: { rounded: StreamedResult['rounded'] }) {
  return (
    <TableScroll
      label={t('What rounding did to each weight, beside the merge itself')}
      className="table-tall"
    >
      <table>
        <caption className="hint">{t('What rounding did to each weight, beside the merge itself')}</caption>
        <thead>
          <tr>
            <th scope="col">{t('Weight')}</th>
            <th scope="col">{t('Stored as')}</th>
            <th scope="col">{t('‖stored − merged‖ / ‖merged‖')}</th>
            <th scope="col">{t('largest difference')}</th>
          </tr>
        </thead>
        <tbody>
          {rounded.map(({ tensor, storedAs, relative, max }) => (
            <tr key={tensor}>
              <th scope="row">{tensor}</th>
              <td>{storedAs}</td>
              <td>{formatSignificant(relative, 3)}</td>
              <td>{formatSignificant(max, 3)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableScroll>
  )
}
