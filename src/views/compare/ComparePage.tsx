import { GeometryLine } from '../app/GeometryLine.tsx'
import { ProbesNotice } from '../app/ProbesNotice.tsx'
import { useMediaQuery, wideQuery } from '../app/useMediaQuery.ts'
import { useWork } from '../app/useWork.ts'
import { CompareView } from './CompareView.tsx'

/** All methods side by side, as a page. */
export default function ComparePage() {
  const { experiment, cast, geometry, measurements, view } = useWork()
  const isNarrow = !useMediaQuery(wideQuery)
  const geometryLine = <GeometryLine experiment={experiment} geometry={geometry} />
  return (
    <>
      {!isNarrow && geometryLine}
      <ProbesNotice />
      <CompareView
        experiment={experiment}
        cast={cast}
        geometry={geometry}
        measurements={measurements}
        view={view}
      />
      {isNarrow && geometryLine}
    </>
  )
}
