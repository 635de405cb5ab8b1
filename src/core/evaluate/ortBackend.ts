// Models of the engine, run by onnxruntime-web on the engine's own device: one session per architecture, to which any
// model or merge of it is bound. Float32 weights are read where they lie; others are widened into one set of buffers
// that is written anew for each model.

import type { Gpu } from '../gpu/device.ts'
import { DeviceModel } from '../model/deviceModel.ts'
import { OrtModel } from './ort/ortModel.ts'
import type { OrtModule } from './ort/ortSession.ts'

export class OrtBackend {
  readonly #gpu: Gpu
  readonly #load: () => Promise<OrtModule>
  #open: { key: string; model: OrtModel; wide: DeviceModel | undefined } | undefined

  /** `load` is called when the first model is asked for. */
  constructor(gpu: Gpu, load: () => Promise<OrtModule>) {
    this.#gpu = gpu
    this.#load = load
  }

  /**
   * `model` as onnxruntime runs it, hidden states included, until the next call. Weights written to a float32 model
   * afterwards are seen; those of another type are as they were. `gpu-limit`, `gpu-failed`, `device-lost`,
   * `file-missing` where onnxruntime cannot be loaded.
   */
  async of(model: DeviceModel): Promise<OrtModel> {
    const key = JSON.stringify(model.config.raw)
    if (this.#open?.key !== key) {
      await this.dispose()
      const ort = await this.#load()
      const opened = await OrtModel.open(ort, this.#gpu.device, model.config, { hasHidden: true })
      this.#open = { key, model: opened, wide: undefined }
    }
    const open = this.#open
    if (model.type === 'f32') open.model.bind((name) => model.buffer(name))
    else {
      const wide = open.wide ?? new DeviceModel(this.#gpu, model.config, 'f32')
      open.wide = wide
      wide.copyFrom(model)
      open.model.bind((name) => wide.buffer(name))
    }
    this.#gpu.flush()
    return open.model
  }

  /** Whether a model of this architecture can be bound at once. */
  isOpenFor(model: DeviceModel): boolean {
    return this.#open?.key === JSON.stringify(model.config.raw)
  }

  /** Frees the session and the widened weights. */
  async dispose(): Promise<void> {
    const open = this.#open
    this.#open = undefined
    if (!open) return
    await open.model.dispose()
    open.wide?.dispose()
  }
}
