import { type ReactNode, useId, useState } from 'react'
import { t } from '../../language/translate.ts'

/** A question mark that opens a few lines below its control. Returns the button and the lines, to place apart. */
export function useHelp(about: string, children: ReactNode): { button: ReactNode; lines: ReactNode } {
  const [isOpen, setOpen] = useState(false)
  const id = useId()
  return {
    button: (
      <button
        type="button"
        className="help-button"
        aria-expanded={isOpen}
        aria-controls={id}
        aria-label={t('About {what}', { what: about })}
        onClick={() => setOpen(!isOpen)}
      >
        ?
      </button>
    ),
    lines: (
      <div id={id} className="help-lines" hidden={!isOpen}>
        {children}
      </div>
    ),
  }
}
