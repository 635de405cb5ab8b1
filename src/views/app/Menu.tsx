import { type ReactNode, useId } from 'react'

export interface MenuProps {
  label: string
  title: string
  /** shown instead of the label */
  icon?: ReactNode
  children: ReactNode
}

/** A button that unfolds a few controls. The browser's own popover: closed by Escape and by a click elsewhere. */
export function Menu({ label, title, icon, children }: MenuProps) {
  const id = useId()
  return (
    <>
      <button
        type="button"
        className={icon ? 'menu-button icon-button' : 'menu-button'}
        popoverTarget={id}
        title={title}
        aria-label={icon ? label : undefined}
      >
        {icon ?? label}
      </button>
      <fieldset id={id} popover="auto" className="menu-card" aria-label={label}>
        {children}
      </fieldset>
    </>
  )
}

export interface MenuActionProps {
  label: string
  /** said below the label */
  brief: string
  isDisabled?: boolean
  onClick: () => void
}

/** A line of a menu. */
export function MenuAction({ label, brief, isDisabled = false, onClick }: MenuActionProps) {
  const id = useId()
  return (
    <div className="menu-action">
      <button type="button" disabled={isDisabled} aria-describedby={id} onClick={onClick}>
        {label}
      </button>
      <small id={id}>{brief}</small>
    </div>
  )
}
