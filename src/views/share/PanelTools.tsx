// The right end of a panel's head: where its numbers are from, and what can be done with them.

import type { ReactNode } from 'react'
import { ReceivedMark, type ReceivedMarkProps } from './ReceivedMark.tsx'
import { SaveMenu, type SaveMenuProps } from './SaveMenu.tsx'
import './panelTools.css'

export function PanelTools({
  shown,
  children,
  ...menu
}: SaveMenuProps & ReceivedMarkProps & { children?: ReactNode }) {
  return (
    <div className="panel-tools">
      <ReceivedMark shown={shown} />
      <SaveMenu {...menu} />
      {children}
    </div>
  )
}
