import { useSyncExternalStore } from 'react'

/** Wide enough for a recipe beside the pictures; the same bound as in layout.css. */
export const wideQuery = '(min-width: 861px)'

/** Whether a media query holds, kept up to date; true where there are none. */
export function useMediaQuery(query: string): boolean {
  return useSyncExternalStore(
    (onChange) => {
      const list = globalThis.matchMedia?.(query)
      list?.addEventListener('change', onChange)
      return () => list?.removeEventListener('change', onChange)
    },
    () => globalThis.matchMedia?.(query)?.matches ?? true,
  )
}
