// The pages of the studio, in the order of their tabs. The first is part of the first load; the others come when they
// are opened. A new page is a row here and a name in share/pageNames.ts.

import { type ComponentType, lazy } from 'react'
import type { PageName } from '../share/pageNames.ts'
import { StudioView } from './studio/StudioView.tsx'

export interface PageRow {
  id: PageName
  /** English; shown through t() */
  label: string
  title: string
  /** models and recipe stand beside it */
  hasRecipe: boolean
  /** it is of no use where nothing can compute */
  needsEngine: boolean
  Page: ComponentType
}

export const pages: readonly PageRow[] = [
  {
    id: 'studio',
    label: 'Studio',
    title: 'One merge: its recipe, its sweep, its numbers',
    hasRecipe: true,
    needsEngine: true,
    Page: StudioView,
  },
  {
    id: 'compare',
    label: 'Compare',
    title: 'All methods side by side on these models',
    hasRecipe: true,
    needsEngine: true,
    Page: lazy(() => import('./compare/ComparePage.tsx')),
  },
  {
    id: 'play',
    label: 'Playground',
    title: 'Chat with all models, the probabilities behind an answer, your own prompts',
    hasRecipe: true,
    needsEngine: true,
    Page: lazy(() => import('./play/PlayPage.tsx')),
  },
  {
    id: 'learn',
    label: 'Learn',
    title: 'A guided tour, a glossary, what methods and measures are, exercises for a class',
    hasRecipe: false,
    needsEngine: false,
    Page: lazy(() => import('./learn/LearnPage.tsx')),
  },
  {
    id: 'library',
    label: 'Library',
    title: 'Where models come from, and what is kept in this browser',
    hasRecipe: true,
    needsEngine: false,
    Page: lazy(() => import('./library/LibraryPage.tsx')),
  },
  {
    id: 'merge',
    label: 'Merge',
    title: 'Models of any size, merged from files to files',
    hasRecipe: false,
    needsEngine: false,
    Page: lazy(() => import('./streamed/StreamedPage.tsx')),
  },
]
