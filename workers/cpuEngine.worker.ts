// Entry of the worker where there is no WebGPU: registers how errors travel and exposes the engine.

import '../src/trusted.ts'
import { expose } from 'comlink'
import { createCpuEngine } from './cpuEngine.ts'
import { registerTransferHandlers } from './transfer.ts'

registerTransferHandlers()
expose(createCpuEngine())
