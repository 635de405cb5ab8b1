import { type ReactNode, useState } from 'react'

/** Where the recipe stands under the pictures most sections start closed: it is then seen as a whole. */
const isWide = () => globalThis.matchMedia?.('(min-width: 861px)').matches ?? true

export interface SideSectionProps {
  title: string
  /** Said beside the title while the section is closed. */
  summary: string
  isAlwaysOpen?: boolean
  /** what the help calls it, see help/targets.ts */
  part?: string
  children: ReactNode
}

/** A part of the recipe that can be folded away. */
export function SideSection({ title, summary, isAlwaysOpen = false, part, children }: SideSectionProps) {
  const [isOpen, setOpen] = useState(() => isAlwaysOpen || isWide())
  return (
    <details
      className="side-section"
      data-help={part}
      open={isOpen}
      onToggle={(event) => setOpen(event.currentTarget.open)}
    >
      <summary>
        <h2>{title}</h2>
        {!isOpen && <span className="muted">{summary}</span>}
      </summary>
      {children}
    </details>
  )
}
