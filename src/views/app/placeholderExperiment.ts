import type { Experiment, ModelOrigin, ModelSummary } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import { builtIn, equalParts, experimentWith } from '../../share/parameters.ts'
import { originName } from '../../state/selectors.ts'

const placeholder = 'reading …'

/** Stands in while the models are being read, so that every control and axis has its place from the start. */
export const placeholderExperiment: Experiment = experimentWith({
  references: {},
  anchor: builtIn(placeholder),
  experts: equalParts([builtIn(`${placeholder} `), builtIn(`${placeholder}  `)]),
})

/** The name of a model as the page shows it: of a placeholder, that its models are being read. */
export function shownName(list: readonly ModelSummary[], origin: ModelOrigin): string {
  const name = originName(list, origin)
  return name.startsWith(placeholder) ? t('reading …') + name.slice(placeholder.length) : name
}
