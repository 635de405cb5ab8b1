import { type ComponentProps, lazy, Suspense } from 'react'
import { useStudio } from '../../state/store.ts'

const Loaded = lazy(() => import('./MissingModel.tsx').then((it) => ({ default: it.MissingModel })))

/** Seldom needed, so loaded when a link names a model that is not there. */
export function MissingModel(props: ComponentProps<typeof Loaded>) {
  // While the built-in models are on their way, none of them is missing.
  const isLoading = useStudio((state) => state.models.isLoading)
  if (isLoading && props.list.length === 0) return <p className="hint is-line" />
  return (
    <Suspense fallback={null}>
      <Loaded {...props} />
    </Suspense>
  )
}
