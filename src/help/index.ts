// The help as one piece: glossary, measures, method notes, formulas, tour and exercises. Framework-free data; the page
// shows it under Learn, the documents' generator writes it as pages.

export { type Exercise, exercises } from './exercises.ts'
export { type FormulaEntry, type FormulaId, formulaEntry, formulas, workedLine } from './formulas.ts'
export { glossary } from './glossary.ts'
export { type LessonId, lessons } from './lessons.ts'
export {
  type MathElement,
  type MathNode,
  mathElements,
  mathText,
  type SymbolValues,
  symbolsOf,
} from './math.ts'
export { measures } from './measures.ts'
export { methodNotes } from './methodNotes.ts'
export { pictures } from './pictures.ts'
export { type SymbolEntry, type SymbolId, symbolEntry, symbols } from './symbols.ts'
export { type HelpTarget, helpTarget, type TargetId, targets } from './targets.ts'
export { tour, tourSteps } from './tour.ts'
export type * from './tourTypes.ts'
export type { GlossaryTerm, MeasureCard, MethodNote, MethodPicture, Point } from './types.ts'
