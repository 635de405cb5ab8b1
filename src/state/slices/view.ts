// What is open and how it looks. `aqiView` and `prompt` travel in the link, the theme stays on this machine.

import type { AqiView } from '../../../workers/api.ts'
import { choiceParameters } from '../../share/parameters.ts'

export type Theme = 'system' | 'light' | 'dark'

export interface ViewSlice {
  aqiView: AqiView
  prompt: string
  theme: Theme
  /** Charts shown as tables. */
  asTable: Record<'sweep' | 'clusters' | 'layers', boolean>
}

export const initialView: ViewSlice = {
  aqiView: choiceParameters.aqiView.default,
  prompt: '',
  theme: 'system',
  asTable: { sweep: false, clusters: false, layers: false },
}
