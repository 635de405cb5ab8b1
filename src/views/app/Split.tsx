// Two parts side by side with a border that can be moved, by hand or by arrow keys, and stays where it was put.

import type { ReactNode } from 'react'
import { Group, type Layout, Panel, Separator } from 'react-resizable-panels'
import { t } from '../../language/translate.ts'
import { keepLayout, keptLayout } from '../../state/layout.ts'
import { useMediaQuery } from './useMediaQuery.ts'

export interface SplitProps {
  /** names the border where layouts are remembered */
  id: string
  /** width of the first part, as a number in % of both or in pixels */
  start: number | `${number}px`
  /** least widths, % or pixels */
  minimum: readonly [number | `${number}px`, number | `${number}px`]
  /** greatest width of the first part */
  maximum?: number | `${number}px`
  /** the first part keeps its width when the window changes */
  isFixed?: boolean
  className?: string
  /** below this width of the window the parts stand one above the other */
  from?: number
  children: readonly [ReactNode, ReactNode]
}

const percent = (size: number | `${number}px`): string => (typeof size === 'number' ? `${size}%` : size)

export function Split({
  id,
  start,
  minimum,
  maximum,
  isFixed,
  className,
  from = 1181,
  children,
}: SplitProps) {
  const isWide = useMediaQuery(`(min-width: ${from}px)`)
  if (!isWide) return <div className={className}>{children}</div>
  const kept = keptLayout(id)
  const defaultLayout: Layout | undefined = kept && { [`${id}-1`]: kept[0], [`${id}-2`]: kept[1] }
  return (
    <Group
      id={id}
      className={`split ${className ?? ''}`}
      style={{ overflow: 'visible' }}
      {...(defaultLayout && { defaultLayout })}
      onLayoutChanged={(layout) => keepLayout(id, [layout[`${id}-1`] ?? 50, layout[`${id}-2`] ?? 50])}
    >
      <Panel
        id={`${id}-1`}
        defaultSize={percent(start)}
        minSize={percent(minimum[0])}
        {...(maximum !== undefined && { maxSize: percent(maximum) })}
        {...(isFixed && { groupResizeBehavior: 'preserve-pixel-size' as const })}
        className="split-part"
        style={{ overflow: 'visible' }}
      >
        {children[0]}
      </Panel>
      <Separator className="split-border" aria-label={t('Width of the parts')} />
      <Panel
        id={`${id}-2`}
        minSize={percent(minimum[1])}
        className="split-part"
        style={{ overflow: 'visible' }}
      >
        {children[1]}
      </Panel>
    </Group>
  )
}
