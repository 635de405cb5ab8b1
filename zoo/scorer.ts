// The scorer of answers lives in the engine, because the page measures with it; the zoo's checks use the same one.
export {
  type Answer,
  type AnswerKind,
  classify,
  isExact,
  rates,
  type ScorerRules,
} from '../src/core/evaluate/scorer.ts'
