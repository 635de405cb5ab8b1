import { type ComponentProps, lazy, Suspense } from 'react'

const Loaded = lazy(() => import('./MissingModel.tsx').then((it) => ({ default: it.MissingModel })))

/** Seldom needed, so loaded when a link names a model that is not there. */
export function MissingModel(props: ComponentProps<typeof Loaded>) {
  return (
    <Suspense fallback={null}>
      <Loaded {...props} />
    </Suspense>
  )
}
