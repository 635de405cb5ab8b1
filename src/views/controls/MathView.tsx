// A formula of the help as native MathML, which browsers draw and screen readers read.

import { createElement, type ReactElement, useMemo } from 'react'
import type { MathElement, MathNode, SymbolId, SymbolValues } from '../../help/index.ts'
import { mathElements } from '../../help/index.ts'

export interface MathViewProps {
  tree: MathNode
  /** symbols that stand as numbers */
  values?: SymbolValues
  /** the symbol that is being looked at */
  active?: SymbolId | null
  isBlock?: boolean
}

function drawn(element: MathElement, key: number, active: SymbolId | null): ReactElement {
  const { tag, text, attributes, symbol, children } = element
  return createElement(
    tag,
    { key, ...attributes, 'data-symbol': symbol, 'data-active': (symbol && symbol === active) || undefined },
    text ?? children?.map((child, index) => drawn(child, index, active)),
  )
}

export function MathView({ tree, values, active = null, isBlock = false }: MathViewProps) {
  const root = useMemo(() => mathElements(tree, values), [tree, values])
  // MathML is no part of the JSX types.
  return createElement('math', { display: isBlock ? 'block' : 'inline' }, drawn(root, 0, active))
}
