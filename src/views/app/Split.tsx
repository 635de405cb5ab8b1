// Two parts side by side with a border that can be moved, by hand or by arrow keys, and stays where it was put. Own
// code, as it is part of the first load: docs/decisions/first-load.md.

import {
  type KeyboardEvent,
  type PointerEvent,
  type ReactNode,
  useLayoutEffect,
  useRef,
  useState,
} from 'react'
import { t } from '../../language/translate.ts'
import { keepLayout, keptLayout } from '../../state/layout.ts'
import { useMediaQuery } from './useMediaQuery.ts'

type Size = number | `${number}px`

export interface SplitProps {
  /** names the border where layouts are remembered */
  id: string
  /** width of the first part, as a number in % of both or in pixels */
  start: Size
  /** least widths, % or pixels */
  minimum: readonly [Size, Size]
  /** greatest width of the first part */
  maximum?: Size
  /** the first part keeps its width when the window changes */
  isFixed?: boolean
  className?: string
  /** below this width of the window the parts stand one above the other */
  from?: number
  /** there the second part comes first, for eyes, readers and keys alike */
  isSecondFirst?: boolean
  children: readonly [ReactNode, ReactNode]
}

/** One press of an arrow key. */
const stepPercent = 2

const cssOf = (size: Size): string => (typeof size === 'number' ? `${size}%` : size)

/** Parts keep what they hold when the window crosses the bound: they are the same elements, in another order. */
export function Split({
  id,
  start,
  minimum,
  maximum = 100,
  isFixed,
  className,
  from = 1181,
  isSecondFirst,
  children,
}: SplitProps) {
  const isWide = useMediaQuery(`(min-width: ${from}px)`)
  const group = useRef<HTMLDivElement>(null)
  const first = useRef<HTMLDivElement>(null)
  const [wanted, setWanted] = useState<Size>(() => keptLayout(id)?.[0] ?? start)
  /** of the first part, as it is drawn */
  const [percent, setPercent] = useState(typeof wanted === 'number' ? wanted : 50)

  const measure = () => {
    const total = group.current?.getBoundingClientRect().width ?? 0
    const width = first.current?.getBoundingClientRect().width ?? 0
    return { total, width, share: total > 0 ? (100 * width) / total : 50 }
  }
  useLayoutEffect(() => {
    if (isWide) setPercent(Math.round(measure().share))
  })
  // A share that was kept becomes the width that it is now, and stays so.
  useLayoutEffect(() => {
    if (isWide && isFixed && typeof wanted === 'number') setWanted(`${measure().width}px`)
  })

  const move = (share: number) => {
    const { total } = measure()
    setWanted(isFixed ? `${(share / 100) * total}px` : share)
  }
  const keep = () => {
    const { share } = measure()
    keepLayout(id, [share, 100 - share])
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const { share } = measure()
    const to = { ArrowLeft: share - stepPercent, ArrowRight: share + stepPercent, Home: 0, End: 100 }[
      event.key
    ]
    if (to === undefined) return
    event.preventDefault()
    move(Math.min(100, Math.max(0, to)))
  }
  const onPointerMove = (event: PointerEvent<HTMLElement>) => {
    if (!event.currentTarget.hasPointerCapture(event.pointerId)) return
    const { left, width } = group.current!.getBoundingClientRect()
    move(Math.min(100, Math.max(0, (100 * (event.clientX - left)) / width)))
  }
  const part = isWide ? 'split-part' : 'split-layer'
  const width = `clamp(${cssOf(minimum[0])}, ${cssOf(wanted)}, min(${cssOf(maximum)}, 100% - ${cssOf(minimum[1])}))`
  const parts = [
    <div key="first" ref={first} className={part} style={isWide ? { flex: 'none', width } : undefined}>
      {children[0]}
    </div>,
    isWide && (
      // biome-ignore lint/a11y/useSemanticElements: <hr> holds no focus and no value
      <div
        key="border"
        role="separator"
        tabIndex={0}
        className="split-border"
        aria-label={t('Width of the parts')}
        aria-orientation="vertical"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={percent}
        onKeyDown={onKeyDown}
        onKeyUp={keep}
        onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
        onPointerMove={onPointerMove}
        onPointerUp={keep}
      />
    ),
    <div key="second" className={part}>
      {children[1]}
    </div>,
  ]
  return (
    <div ref={group} className={`${isWide ? 'split ' : ''}${className ?? ''}`}>
      {!isWide && isSecondFirst ? parts.toReversed() : parts}
    </div>
  )
}
