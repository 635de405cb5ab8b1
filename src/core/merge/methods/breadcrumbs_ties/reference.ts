import { mergeSparse } from '../../taskVectors.reference.ts'
import { dropOutliers } from '../../taskVectorsDrop.reference.ts'

export const reference = mergeSparse({ elects: true, sparsify: dropOutliers })
