import type { AnswerKind } from '../../../workers/api/play.ts'
import { t } from '../../language/translate.ts'

const words: Record<AnswerKind, string> = {
  refusal: 'refuses',
  compliance: 'complies',
  answer: 'answers',
  gibberish: 'gibberish',
}

/** What an answer does, by the rules of the built-in probes. */
export const verdictWord = (verdict: AnswerKind): string => t(words[verdict])

export function VerdictChip({ verdict }: { verdict: AnswerKind }) {
  return (
    <span className="chip" data-verdict={verdict}>
      {verdictWord(verdict)}
    </span>
  )
}
