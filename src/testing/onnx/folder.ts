// A checkpoint of another format turned into an ONNX folder for tests: config and tokenizer files as they are, weights
// in one of the exporters' styles.

import type { Checkpoint } from '../../core/files/checkpoint.ts'
import { COPIED_FILES } from '../../core/files/exporter.ts'
import { countOf, readElements } from '../../core/files/storedWeight.ts'
import { type DecoderForm, genaiDecoder } from './genai.ts'
import { optimumDecoder } from './optimum.ts'

export interface OnnxFolderForm extends DecoderForm {
  style: 'genai' | 'optimum'
  /** of the model file, with a folder where wanted; default model.onnx */ path?: string
}

/** path → content of the folder; external data lie beside the model unless `external` is undefined */
export async function onnxFolder(
  checkpoint: Checkpoint,
  form: OnnxFolderForm,
): Promise<Map<string, Uint8Array | string>> {
  const values = new Map<string, Float32Array>()
  for (const [name, weight] of checkpoint.stored)
    values.set(name, await readElements(weight, 0, countOf(weight)))
  const build = form.style === 'genai' ? genaiDecoder : optimumDecoder
  const { model, data } = build(checkpoint.config, (name) => values.get(name)!, form)
  const path = form.path ?? 'model.onnx'
  const files = new Map<string, Uint8Array | string>([
    ['config.json', JSON.stringify(checkpoint.rawConfig)],
    [path, model],
  ])
  if (data && form.external) files.set(path.slice(0, path.lastIndexOf('/') + 1) + form.external, data)
  for (const name of COPIED_FILES) {
    const source = await checkpoint.folder.file(name)
    if (source) files.set(name, await source.read(0, source.size))
  }
  return files
}
