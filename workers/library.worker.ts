// Entry of the library's worker: registers how errors travel and exposes the library.

import { expose } from 'comlink'
import { createLibrary } from './library.ts'
import { registerTransferHandlers } from './transfer.ts'

registerTransferHandlers()
expose(createLibrary())
