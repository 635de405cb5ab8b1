// Entry of the worker that merges to disk.

import { expose } from 'comlink'
import { createStreamedMerge } from './streamedMerge.ts'
import { registerTransferHandlers } from './transfer.ts'

registerTransferHandlers()
expose(createStreamedMerge())
