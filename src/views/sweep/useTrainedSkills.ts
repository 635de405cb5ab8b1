import { useMemo } from 'react'
import { selectCast } from '../../state/selectors.ts'
import { useStudio } from '../../state/store.ts'

/** The skills that the experts of the recipe were trained for; undefined where none says so. */
export function useTrainedSkills(): string[] | undefined {
  const list = useStudio((state) => state.models.list)
  const experiment = useStudio((state) => state.recipe.experiment)
  const names = selectCast(list, experiment)?.experts.flatMap(({ skill }) => skill ?? []) ?? []
  // The list changes with every move of a slider, its content does not.
  const text = names.join('\n')
  return useMemo(() => (text === '' ? undefined : text.split('\n')), [text])
}
