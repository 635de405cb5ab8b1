import { mergeSparse } from '../../taskVectors.reference.ts'

export const reference = mergeSparse({ elects: false, sparsify: () => undefined })
