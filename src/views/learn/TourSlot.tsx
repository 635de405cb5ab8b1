// The place of the tour on every page; what it holds is loaded when it is first opened.

import { lazy, Suspense } from 'react'
import { useTour } from '../../state/tour/store.ts'

const TourPanel = lazy(() => import('./TourPanel.tsx'))

export function TourSlot() {
  const isOpen = useTour((state) => state.isOpen)
  if (!isOpen) return null
  return (
    <Suspense fallback={null}>
      <TourPanel />
    </Suspense>
  )
}
