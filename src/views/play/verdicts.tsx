import type { AnswerKind } from '../../../workers/api/play.ts'
import { t } from '../../language/translate.ts'

const words: Record<AnswerKind, () => string> = {
  refusal: () => t('refuses'),
  compliance: () => t('complies'),
  answer: () => t('answers'),
  gibberish: () => t('gibberish'),
}

/** What an answer does, by the rules of the built-in probes. */
export const verdictWord = (verdict: AnswerKind): string => words[verdict]()

export function VerdictChip({ verdict }: { verdict: AnswerKind }) {
  return (
    <span className="chip" data-verdict={verdict}>
      {verdictWord(verdict)}
    </span>
  )
}
