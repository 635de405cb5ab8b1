import { t } from '../../language/translate.ts'
import { askSelfTest } from '../../state/actions/selfTest.ts'
import { useMissing } from '../../state/needs.ts'
import type { EngineStatus } from '../../state/slices/models.ts'
import { useStudio } from '../../state/store.ts'

function describe(engine: EngineStatus): { text: string; title: string; tone: 'good' | 'wait' | 'bad' } {
  switch (engine.kind) {
    case 'opening':
      return { text: 'opening the engine', title: 'Asking the browser for a graphics device', tone: 'wait' }
    case 'ready': {
      const { adapter, vendor, architecture, isFallback, hasF16, isCpu } = engine.info
      if (isCpu)
        return {
          text: t('CPU (no WebGPU)'),
          title: t('Merges by float64 references, models through onnxruntime-web. Built-in models only.'),
          tone: 'wait',
        }
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

/** Which adapter computes, whether it does, and the way to put it to the test. */
export function EngineChip() {
  const engine = useStudio((state) => state.models.engine)
  const selfTest = useStudio((state) => state.models.selfTest)
  const missing = useMissing('selfTest')
  const { text, title, tone } = describe(engine)
  const verdict = selfTest ? (selfTest.passed ? 'tested' : 'wrong numbers') : 'Self-test'
  return (
    <p
      className="engine-chip"
      title={`${text}: ${title}`}
      data-tone={selfTest?.passed === false ? 'bad' : tone}
    >
      <span className="lamp" aria-hidden="true" />
      <span className="engine-name">{text}</span>
      <button
        type="button"
        className="quiet-button"
        disabled={engine.kind !== 'ready' || missing !== undefined}
        aria-label={`Self-test${selfTest ? `, ${verdict}` : ''}`}
        title={
          missing ?? t('Runs every kernel and a model of each family on this adapter against stored vectors')
        }
        onClick={() => void askSelfTest()}
      >
        {verdict}
      </button>
    </p>
  )
}
