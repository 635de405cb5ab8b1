// The engine's script is as large as all of the page's. Where results ship with the page, the first picture is drawn of
// them, and the engine is fetched once it stands.

let isDrawn = false
const waiting = new Set<() => void>()

/** A chart with data is on the page. */
export function pictureDrawn(): void {
  isDrawn = true
  for (const go of waiting) go()
  waiting.clear()
}

/** Resolves when the first picture stands, or after `withinMs`: a chart that does not come holds nothing up. */
export function firstPicture(withinMs: number): Promise<void> {
  if (isDrawn) return Promise.resolve()
  return new Promise((done) => {
    const timer = setTimeout(go, withinMs)
    function go() {
      clearTimeout(timer)
      waiting.delete(go)
      done()
    }
    waiting.add(go)
  })
}
