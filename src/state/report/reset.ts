// Back to how the page was on its first visit, but for what was kept on purpose: models, merges,
// sets of prompts, recipes.

const kept = new Set(['alignmerge-presets'])

/** Forgets settings of this machine and the recipe in the address, and loads the page anew. */
export function resetSettings(): void {
  for (const storage of [() => localStorage, () => sessionStorage])
    try {
      const open = storage()
      for (const key of Object.keys(open))
        if (key.startsWith('alignmerge') && !kept.has(key)) open.removeItem(key)
    } catch {
      // Storage that is closed to us holds nothing of ours.
    }
  history.replaceState(null, '', location.pathname + location.search)
  location.reload()
}
