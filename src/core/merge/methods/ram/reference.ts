import { mergeActive } from '../../activeTaskVectors.reference.ts'

export const reference = mergeActive({ reinforces: false })
