import type { EngineStatus } from '../../state/slices/models.ts'
import { useStudio } from '../../state/store.ts'

function describe(engine: EngineStatus): { text: string; title: string; tone: 'good' | 'wait' | 'bad' } {
  switch (engine.kind) {
    case 'opening':
      return { text: 'opening the engine', title: 'Asking the browser for a graphics device', tone: 'wait' }
    case 'ready': {
      const { adapter, vendor, architecture, isFallback, hasF16 } = engine.info
      const name = adapter || `${vendor} ${architecture}`.trim() || 'unnamed adapter'
      const title = `${vendor} ${architecture}${hasF16 ? ', 16-bit shaders' : ''}`
      return isFallback
        ? {
            text: `${name} · software adapter`,
            title: `${title}. Same numbers, slower than a graphics card.`,
            tone: 'wait',
          }
        : { text: name, title, tone: 'good' }
    }
    case 'unsupported':
      return { text: 'no WebGPU', title: engine.reason, tone: 'bad' }
    case 'lost':
      return { text: 'device lost', title: engine.reason, tone: 'bad' }
    case 'failed':
      return { text: 'engine failed', title: engine.failure.message, tone: 'bad' }
  }
}

/** Which adapter computes, and whether it does. */
export function EngineChip() {
  const engine = useStudio((state) => state.models.engine)
  const { text, title, tone } = describe(engine)
  return (
    <p className="engine-chip" data-tone={tone} title={title}>
      <span className="lamp" aria-hidden="true" />
      <span className="engine-name">{text}</span>
    </p>
  )
}
