// DELLA (Deep et al., arXiv 2406.11617) with TIES’ election among what stays; mergekit `della`. An element’s chance to stay
// rises with the rank of |τ| in its row, from density − ε to density + ε; draws are those of DARE.

import { defineMethod } from '../../method.ts'
import { rankedMerge } from '../../taskVectorsDrop.ts'
import { declaration } from './declaration.ts'

export const method = defineMethod({ declaration, ...rankedMerge({ elects: true }) })
