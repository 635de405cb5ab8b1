// Entry of the engine worker: registers how errors travel and exposes the engine.

import '../src/trusted.ts'
import { expose } from 'comlink'
import { createEngine } from './engine.ts'
import { registerTransferHandlers } from './transfer.ts'

registerTransferHandlers()
expose(createEngine())
