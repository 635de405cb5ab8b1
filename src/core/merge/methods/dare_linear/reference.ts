import { mergeSparse } from '../../taskVectors.reference.ts'
import { dropAtRandom } from '../../taskVectorsDrop.reference.ts'

export const reference = mergeSparse({ elects: false, sparsify: dropAtRandom })
