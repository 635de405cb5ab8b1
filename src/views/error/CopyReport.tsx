import { useState } from 'react'
import { t } from '../../language/translate.ts'
import { faults } from '../../state/report/faults.ts'

/** What is left to copy when not even the part that writes the report can be loaded. */
const bareReport = () =>
  faults.map(({ place, code, message, stack }) => `${place}: ${code}, ${message}\n${stack}`).join('\n\n')

async function writeReport(): Promise<string> {
  try {
    const { collectReport } = await import('../../state/report/collect.ts')
    return await collectReport()
  } catch {
    return bareReport()
  }
}

/** Copies the report; what is copied is shown, so that it can be read before it is sent. */
export function CopyReport() {
  const [report, setReport] = useState<string | null>(null)
  const [isCopied, setIsCopied] = useState(false)
  const copy = async () => {
    const text = await writeReport()
    setReport(text)
    try {
      await navigator.clipboard.writeText(text)
      setIsCopied(true)
    } catch {
      // A closed clipboard leaves the text below, to be copied by hand.
      setIsCopied(false)
    }
  }
  return (
    <div className="copy-report">
      <button type="button" onClick={() => void copy()}>
        {t('Copy report')}
      </button>
      {report !== null && (
        <>
          <p role="status" className="muted">
            {isCopied ? t('Copied. This is all it says:') : t('This is the report:')}
          </p>
          <textarea readOnly rows={8} spellCheck={false} aria-label={t('Report')} value={report} />
        </>
      )}
    </div>
  )
}
