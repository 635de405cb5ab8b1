// What stands in place of the work when there is no engine to do it.

import { reopenEngine } from '../../state/actions/start.ts'
import type { EngineStatus } from '../../state/slices/models.ts'
import { CopyReport } from '../error/CopyReport.tsx'

/** A whole page: this browser cannot compute here, and what to do about it. */
export function NoWebGpu({ reason }: { reason: string }) {
  return (
    <main className="notice-page" id="main">
      <h2>This browser gives the page no WebGPU</h2>
      <p>
        Everything in this studio runs on this machine: Fisher information, merges and all measurements are
        computed on the graphics device through WebGPU. Without it there is nothing to show.
      </p>
      <h3>What helps</h3>
      <ul>
        <li>
          Chrome or Edge 113 and newer on Windows, macOS, ChromeOS and Android; Safari 26; Firefox 141 on
          Windows.
        </li>
        <li>
          On Linux, start Chrome or Chromium with <code>--enable-unsafe-webgpu --enable-features=Vulkan</code>
          .
        </li>
        <li>
          Without a graphics card, Chromium’s software adapter is enough for the built-in models:{' '}
          <code>--enable-unsafe-webgpu --use-webgpu-adapter=swiftshader</code>.
        </li>
        <li>The page must come over https or from localhost.</li>
        <li>
          <code>chrome://gpu</code> says whether WebGPU is switched off by policy or by a driver on the block
          list.
        </li>
      </ul>
      <p className="muted">The engine’s own words: {reason}</p>
      <button type="button" className="primary" onClick={() => void reopenEngine()}>
        Try again
      </button>
    </main>
  )
}

/** A line across the page: the engine has gone, the results have not. */
export function EngineBanner({ engine }: { engine: EngineStatus }) {
  if (engine.kind !== 'lost' && engine.kind !== 'failed') return null
  const reason = engine.kind === 'lost' ? engine.reason : engine.failure.message
  return (
    <div className="engine-banner" role="alert">
      <p>
        <b>{engine.kind === 'lost' ? 'The graphics device was lost.' : 'The engine could not be opened.'}</b>{' '}
        {reason} What has been measured stays on the page.
      </p>
      <button type="button" className="primary" onClick={() => void reopenEngine()}>
        Reopen the engine
      </button>
      <CopyReport />
    </div>
  )
}
