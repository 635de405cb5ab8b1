// Keys that work everywhere on the page. Each is also a button or a command of the palette.

import { openPalette } from '../../state/dialogs.ts'
import { redo, undo } from '../../state/history.ts'

const isMac = (): boolean => /Mac|iPhone|iPad/.test(globalThis.navigator?.platform ?? '')

/** A shortcut as its keys are labelled here. */
export function shortcutText(key: string, withShift = false): string {
  return isMac() ? `${withShift ? '⇧' : ''}⌘${key}` : `Ctrl+${withShift ? 'Shift+' : ''}${key}`
}

/** A text field has an undo of its own. */
function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  if (target instanceof HTMLTextAreaElement || target.isContentEditable) return true
  return (
    target instanceof HTMLInputElement &&
    !['range', 'checkbox', 'radio', 'button', 'file'].includes(target.type)
  )
}

function onKeyDown(event: KeyboardEvent): void {
  if (!(event.ctrlKey || event.metaKey) || event.altKey || event.defaultPrevented) return
  const key = event.key.toLowerCase()
  if (key === 'k' && !event.shiftKey) {
    event.preventDefault()
    openPalette()
    return
  }
  if (isTyping(event.target)) return
  if (key === 'z') {
    event.preventDefault()
    if (event.shiftKey) redo()
    else undo()
  } else if (key === 'y' && !event.shiftKey) {
    event.preventDefault()
    redo()
  }
}

/** Listens until the returned function is called. */
export function watchShortcuts(): () => void {
  addEventListener('keydown', onKeyDown)
  return () => removeEventListener('keydown', onKeyDown)
}
