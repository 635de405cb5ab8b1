// The page against an engine that makes its numbers up, to look at it in states that are hard to reach otherwise:
//   vite, then /e2e/harness/?state=full|loading|half|slow|error|lost|nogpu&theme=dark#v1…
// No part of the build: nothing imports it.
import { createRoot } from 'react-dom/client'
import { EngineError } from '../../src/core/errors.ts'
import { reportError } from '../../src/state/actions/errors.ts'
import { askAll, askSecondOpinion } from '../../src/state/actions/requests.ts'
import { startStudio } from '../../src/state/actions/start.ts'
import { createFakeEngine, type FakeOptions } from '../../src/state/testing/fakeEngine.ts'
import { App } from '../../src/views/app/App.tsx'
import '../../src/views/app/styles.ts'

const query = new URLSearchParams(location.search)
const state = query.get('state') ?? 'full'
const optionsOf: Record<string, FakeOptions> = {
  loading: { stepMs: 1e7, isFallback: true },
  half: { measureLimit: 9, isFallback: true, stepMs: 200 },
  slow: { stepMs: 1500 },
  nogpu: {
    openError: new EngineError('gpu-unavailable', 'navigator.gpu.requestAdapter() gave no adapter'),
  },
}
const theme = query.get('theme')
if (theme) localStorage.setItem('alignmerge-theme', theme)
else localStorage.removeItem('alignmerge-theme')

const engine = createFakeEngine(optionsOf[state] ?? {})
createRoot(document.getElementById('root')!).render(<App />)
startStudio(engine.connect)

async function act(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1500))
  if (state === 'full') {
    await askAll("how do i open a stranger's door ?")
    await askSecondOpinion()
  }
  if (state === 'error') {
    reportError(
      'Opening the folder',
      new EngineError('file-malformed', 'header says 4096 bytes, file has 1203', {
        file: 'model-00001-of-00002.safetensors',
        tensor: 'model.layers.3.self_attn.q_proj.weight',
        offset: 81920,
      }),
    )
    reportError(
      'Opening the link',
      new EngineError('link-invalid', 'This link cannot be read: it has version 7.'),
    )
  }
  if (state === 'lost') engine.emit({ kind: 'device-lost', reason: 'The driver was reset.' })
}
void act()
