import type { AqiView } from '../../../workers/api.ts'
import { limits } from '../../share/parameters.ts'
import type { PageName, Theme, ViewSlice } from '../slices/view.ts'
import { update } from '../store.ts'
import { schedule } from './runner.ts'

const themeKey = 'alignmerge-theme'

export const themes: readonly Theme[] = ['system', 'light', 'dark', 'contrast']

export function setAqiView(aqiView: AqiView): void {
  update('view', { aqiView })
}

export function setPage(page: PageName): void {
  update('view', { page })
  schedule()
}

export function setPrompt(prompt: string): void {
  update('view', { prompt: prompt.slice(0, limits.maxPromptCharacters) })
}

export function toggleTable(chart: keyof ViewSlice['asTable']): void {
  update('view', ({ asTable }) => ({ asTable: { ...asTable, [chart]: !asTable[chart] } }))
}

function applyTheme(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = theme
}

/** Storage may be closed to us (private windows); the theme then lasts as long as the page. */
export function loadTheme(): void {
  let stored: string | null = null
  try {
    stored = localStorage.getItem(themeKey)
  } catch {
    stored = null
  }
  const theme = themes.find((candidate) => candidate === stored) ?? 'system'
  update('view', { theme })
  applyTheme(theme)
}

export function setTheme(theme: Theme): void {
  update('view', { theme })
  applyTheme(theme)
  try {
    localStorage.setItem(themeKey, theme)
  } catch {
    // The choice is not worth an error.
  }
}
