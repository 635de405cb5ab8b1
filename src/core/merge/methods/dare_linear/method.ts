// DARE (Yu et al., arXiv 2311.03099) with the sum of what stays; mergekit `dare_linear`. Element i of model k stays where
// pcg(i xor (seed + k · 0x9e3779b9)) / 2³² < density, so that a seed gives the same merge everywhere.

import { defineMethod } from '../../method.ts'
import { droppedMerge } from '../../taskVectorsDrop.ts'
import { declaration } from './declaration.ts'

export const method = defineMethod({ declaration, ...droppedMerge({ elects: false }) })
