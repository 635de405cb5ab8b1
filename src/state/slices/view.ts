// What is open and how it looks. `page`, `aqiView` and `prompt` and `labeller` travel in the link, the theme stays on this machine.

import type { AqiView } from '../../../workers/api.ts'
import type { LabellerName } from '../../share/experiment.ts'
import type { PageName } from '../../share/pageNames.ts'
import { choiceParameters } from '../../share/parameters.ts'

export type Theme = 'system' | 'light' | 'dark' | 'contrast'

export type { PageName }

export interface ViewSlice {
  page: PageName
  aqiView: AqiView
  prompt: string
  /** Whose scores the page shows, or should as the link says; null is the shipped rule set. */
  labeller: LabellerName | null
  theme: Theme
  /** Charts shown as tables. */
  asTable: Record<'sweep' | 'clusters' | 'layers' | 'pareto' | 'subspace', boolean>
}

export const initialView: ViewSlice = {
  page: 'studio',
  aqiView: choiceParameters.aqiView.default,
  prompt: '',
  labeller: null,
  theme: 'system',
  asTable: { sweep: false, clusters: false, layers: false, pareto: false, subspace: false },
}
