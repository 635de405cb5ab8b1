import type { CSSProperties, ReactNode } from 'react'

export interface TableScrollProps {
  /** what the table is, for those who reach it by keys */
  label: string
  className?: string
  style?: CSSProperties
  children: ReactNode
}

/** A table that may be wider than its place: what scrolls must be reached and scrolled by keys. */
export function TableScroll({ label, className = '', style, children }: TableScrollProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys
    // biome-ignore lint/a11y/useSemanticElements: a group of form fields it is not
    <div role="group" className={`table-scroll ${className}`} style={style} tabIndex={0} aria-label={label}>
      {children}
    </div>
  )
}
