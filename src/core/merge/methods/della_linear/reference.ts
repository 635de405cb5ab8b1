import { mergeSparse } from '../../taskVectors.reference.ts'
import { dropByRank } from '../../taskVectorsDrop.reference.ts'

export const reference = mergeSparse({ elects: false, sparsify: dropByRank })
