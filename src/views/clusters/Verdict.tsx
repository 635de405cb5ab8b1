import type { AnswerKind } from '../../../workers/api/probes.ts'
import { t } from '../../language/translate.ts'

const words: Record<AnswerKind, () => string> = {
  refusal: () => t('refuses'),
  compliance: () => t('complies'),
  answer: () => t('answers'),
  gibberish: () => t('gibberish'),
}

/** What an answer does, in a word. */
export function Verdict({ kind }: { kind: AnswerKind | undefined }) {
  if (!kind) return <span className="muted">·</span>
  return (
    <span className="chip" data-verdict={kind}>
      {words[kind]()}
    </span>
  )
}
