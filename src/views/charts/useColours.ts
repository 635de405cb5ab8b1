import { useEffect, useState } from 'react'
import type { Colour } from './sourceOver.ts'

function resolve(tokens: readonly string[]): Record<string, Colour> {
  const probe = document.createElement('span')
  probe.hidden = true
  document.body.append(probe)
  const colours = Object.fromEntries(
    tokens.map((token): [string, Colour] => {
      probe.style.color = `var(${token})`
      const [red = 0, green = 0, blue = 0] = (getComputedStyle(probe).color.match(/[\d.]+/g) ?? []).map(
        Number,
      )
      return [token, [red, green, blue]]
    }),
  )
  probe.remove()
  return colours
}

/** Tokens of the theme as numbers, for canvases; anew when the theme changes. `tokens` must stay the same list. */
export function useColours(tokens: readonly string[]): Record<string, Colour> {
  const [colours, setColours] = useState(() => resolve(tokens))
  useEffect(() => {
    const renew = () => setColours(resolve(tokens))
    renew()
    const observer = new MutationObserver(renew)
    observer.observe(document.documentElement, { attributes: true })
    const queries = [
      '(prefers-color-scheme: dark)',
      '(prefers-contrast: more)',
      '(forced-colors: active)',
    ].map((query) => matchMedia(query))
    for (const query of queries) query.addEventListener('change', renew)
    return () => {
      observer.disconnect()
      for (const query of queries) query.removeEventListener('change', renew)
    }
  }, [tokens])
  return colours
}
