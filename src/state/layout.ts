// Where the borders between parts of the page were put, kept on this machine alone. Storage may be closed to us
// (private windows): the borders then last as long as the page.

const storageKey = 'alignmerge-layout'

/** widths of two neighbours, % */
export type KeptLayout = readonly [number, number]

let layouts: Record<string, KeptLayout> | undefined

function isLayout(value: unknown): value is KeptLayout {
  return (
    Array.isArray(value) &&
    value.length === 2 &&
    value.every((share) => typeof share === 'number' && share >= 0 && share <= 100) &&
    Math.abs(value[0] + value[1] - 100) < 1
  )
}

function readLayouts(): Record<string, KeptLayout> {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(storageKey) ?? '{}')
    if (typeof stored !== 'object' || stored === null) return {}
    return Object.fromEntries(Object.entries(stored).filter(([, value]) => isLayout(value)))
  } catch {
    return {}
  }
}

export function keptLayout(id: string): KeptLayout | undefined {
  layouts ??= readLayouts()
  return layouts[id]
}

export function keepLayout(id: string, layout: KeptLayout): void {
  layouts = { ...(layouts ?? readLayouts()), [id]: layout }
  try {
    localStorage.setItem(storageKey, JSON.stringify(layouts))
  } catch {
    // A border is not worth an error.
  }
}

/** Back to the borders that the page begins with. */
export function forgetLayouts(): void {
  layouts = {}
  try {
    localStorage.removeItem(storageKey)
  } catch {
    // Nothing was kept.
  }
}
