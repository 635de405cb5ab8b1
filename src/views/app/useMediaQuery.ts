import { useSyncExternalStore } from 'react'

/** Wide enough for a recipe beside the pictures, px; the same bound as in narrow.css. */
export const wideFrom = 861
export const wideQuery = `(min-width: ${wideFrom}px)`

const lists = new Map<string, MediaQueryList | undefined>()

/** One list for each query: every render asks for it. */
function listOf(query: string): MediaQueryList | undefined {
  if (!lists.has(query)) lists.set(query, globalThis.matchMedia?.(query))
  return lists.get(query)
}

/** Whether a media query holds, kept up to date; true where there are none. */
export function useMediaQuery(query: string): boolean {
  return useSyncExternalStore(
    (onChange) => {
      const list = listOf(query)
      list?.addEventListener('change', onChange)
      return () => list?.removeEventListener('change', onChange)
    },
    () => listOf(query)?.matches ?? true,
  )
}
