// Model breadcrumbs (Davari & Belilovsky, arXiv 2312.06795) with TIES’ election among what stays; mergekit `breadcrumbs_ties`.
// Per tensor the int(γ n) largest are dropped, and the smallest until int(density · n) remain; where that leaves fewer
// than γ n to drop, fewer of the largest go. Where int(γ n) = 0 mergekit drops everything; here the largest then stay.

import { defineMethod } from '../../method.ts'
import { windowedMerge } from '../../taskVectorsDrop.ts'
import { declaration } from './declaration.ts'

export const method = defineMethod({ declaration, ...windowedMerge({ elects: true }) })
