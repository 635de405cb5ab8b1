// Parts of the page that the help points at: one table, so that a moved part is mended in one place.

export interface HelpTarget {
  /** page that shows it; `any` for what is on every page */
  page: 'studio' | 'compare' | 'learn' | 'any'
  selector: string
  label: string
}

export const targets = {
  models: { page: 'studio', selector: '[data-help="models"]', label: 'Models' },
  weights: { page: 'studio', selector: '[data-help="models"]', label: 'Weights of the experts' },
  method: { page: 'studio', selector: '[data-help="method"]', label: 'Method' },
  shield: { page: 'studio', selector: '[data-help="method"]', label: 'Shield and rank' },
  budget: { page: 'studio', selector: '[data-help="method"]', label: 'Budget' },
  geometry: { page: 'studio', selector: '[data-help="geometry"]', label: 'Geometry' },
  measuring: { page: 'studio', selector: '[data-help="measuring"]', label: 'Measuring' },
  sweep: { page: 'studio', selector: '.sweep', label: 'Sweep' },
  clusters: { page: 'studio', selector: '.clusters', label: 'Clusters' },
  layers: { page: 'studio', selector: '.layers', label: 'Drift by layer' },
  numbers: { page: 'studio', selector: '.numbers', label: 'Numbers' },
  prompts: { page: 'studio', selector: '.prompt', label: 'Prompt' },
  comparison: { page: 'compare', selector: '.compare', label: 'All methods side by side' },
  toy: { page: 'learn', selector: '.toy', label: 'Fisher toy' },
} as const satisfies Record<string, HelpTarget>

export type TargetId = keyof typeof targets
export const helpTarget = (id: TargetId): HelpTarget => targets[id]
