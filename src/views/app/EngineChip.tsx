import { t } from '../../language/translate.ts'
import { askSelfTest } from '../../state/actions/selfTest.ts'
import { useMissing } from '../../state/needs.ts'
import type { EngineStatus } from '../../state/slices/models.ts'
import { useStudio } from '../../state/store.ts'

interface Description {
  text: string
  /** one word, where the text does not fit and its lamp would say too little */ kind?: string
  title: string
  tone: 'good' | 'wait' | 'bad'
}

function describe(engine: EngineStatus): Description {
  switch (engine.kind) {
    case 'opening':
      return {
        text: t('opening the engine'),
        title: t('Asking the browser for a graphics device'),
        tone: 'wait',
      }
    case 'ready': {
      const { adapter, vendor, architecture, isFallback, hasF16, isCpu } = engine.info
      if (isCpu)
        return {
          text: t('CPU (no WebGPU)'),
          kind: t('CPU'),
          title: t('Merges by float64 references, models through onnxruntime-web. Built-in models only.'),
          tone: 'wait',
        }
      const make = `${vendor} ${architecture}`
      const name = adapter || make.trim() || t('unnamed adapter')
      const title = hasF16 ? t('{adapter}, 16-bit shaders', { adapter: make }) : make
      return isFallback
        ? {
            text: t('{name} · software adapter', { name }),
            kind: t('software'),
            title: t('{adapter}. Same numbers, slower than a graphics card.', { adapter: title }),
            tone: 'wait',
          }
        : { text: name, title, tone: 'good' }
    }
    case 'unsupported':
      return { text: t('no WebGPU'), title: engine.reason, tone: 'bad' }
    case 'lost':
      return { text: t('device lost'), title: engine.reason, tone: 'bad' }
    case 'failed':
      return { text: t('engine failed'), title: engine.failure.message, tone: 'bad' }
  }
}

/** Which adapter computes, whether it does, and the way to put it to the test. */
export function EngineChip() {
  const engine = useStudio((state) => state.models.engine)
  const selfTest = useStudio((state) => state.models.selfTest)
  const missing = useMissing('selfTest')
  const { text, kind, title, tone } = describe(engine)
  const verdict = selfTest ? (selfTest.passed ? t('tested') : t('wrong numbers')) : t('Self-test')
  return (
    <p
      className="engine-chip"
      title={`${text}: ${title}`}
      data-tone={selfTest?.passed === false ? 'bad' : tone}
    >
      <span className="lamp" aria-hidden="true" />
      <span className="engine-name">{text}</span>
      <span className="engine-kind" aria-hidden="true">
        {kind}
      </span>
      <button
        type="button"
        className="quiet-button"
        disabled={engine.kind !== 'ready' || missing !== undefined}
        aria-label={selfTest ? t('Self-test, {verdict}', { verdict }) : t('Self-test')}
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
