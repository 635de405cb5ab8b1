import { t } from '../../language/translate.ts'
import { methodDeclarations } from '../../share/methods.ts'

/** A compared merge as the page names it: its method, then its settings. Exports keep the English label. */
export function comparedName(label: string): string {
  const method =
    methodDeclarations.find((declaration) => declaration.label === label) ??
    methodDeclarations.find((declaration) => label.startsWith(`${declaration.label}, `))
  if (!method) return label
  const settings = label.slice(method.label.length + 2)
  return [method.label, ...(settings === '' ? [] : settings.split(', '))].map((part) => t(part)).join(', ')
}
