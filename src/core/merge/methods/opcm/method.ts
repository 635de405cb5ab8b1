// OPCM as a merge of all experts at once, in the order given (arXiv 2501.09522; ../../opcm.ts).

import { defineMethod } from '../../method.ts'
import { opcmMethod } from '../../opcm.ts'

export const method = defineMethod(opcmMethod())
