import { t } from '../../language/translate.ts'
import { promptLabels } from '../../state/play/promptColumns.ts'

/** The labels of a prompt, as the lines of a list to choose from. */
export function LabelOptions() {
  return promptLabels.map((label) => (
    <option key={label} value={label}>
      {t(label)}
    </option>
  ))
}
