// The studio's own cluster picture with made-up points, as many as the address asks for:
// ?count=100000, and &pixelsAbove=… to force a renderer. No part of the build of the studio.

import { createRoot } from 'react-dom/client'
import { Random } from '../../src/core/tensors/random.ts'
import { placeholderExperiment } from '../../src/views/app/placeholderExperiment.ts'
import ClusterExplorer from '../../src/views/clusters/ClusterExplorer.tsx'
import { sourceOf } from '../../src/views/clusters/clusterSources.ts'
import '../../src/views/app/styles.ts'

const query = new URLSearchParams(location.search)
const perCloud = Number(query.get('count') ?? 100_000) / 4
const limit = query.get('pixelsAbove')
const random = new Random(1, 1)

const cloud = (x: number, y: number) =>
  Float32Array.from({ length: 2 * perCloud }, (_, at) => (at % 2 === 0 ? x : y) + random.normal())

const sources = [
  ...sourceOf(
    'anchor',
    placeholderExperiment,
    { kind: 'model', id: 'anchor' },
    { safe: cloud(2, 0), unsafe: cloud(-2, 0) },
  ),
  ...sourceOf(
    'merge',
    placeholderExperiment,
    { kind: 'merge', lambdaAlign: 4 },
    { safe: cloud(1, 0.5), unsafe: cloud(-1, 0.5) },
  ),
]

createRoot(document.getElementById('root')!).render(
  <main style={{ width: 640, padding: 16 }}>
    <ClusterExplorer
      view="prompts"
      sources={sources}
      sweepClouds={[]}
      isTable={false}
      height={360}
      legend={null}
      {...(limit !== null && { pixelsAbove: Number(limit) })}
    />
  </main>,
)
