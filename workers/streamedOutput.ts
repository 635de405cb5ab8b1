// Where a merge to disk goes: a folder of the browser's own, or an empty one that the user picked; and the one GGUF file
// that may take the place of its shards.

import { EngineError } from '../src/core/errors.ts'
import type { Checkpoint } from '../src/core/files/checkpoint.ts'
import { GGUF_TYPES, layGguf, writeGguf } from '../src/core/files/formats/gguf/write.ts'
import { handleOutput } from '../src/core/files/output/handleOutput.ts'
import { JOURNAL_FILE } from '../src/core/files/output/journalFile.ts'
import type { OutputFolder } from '../src/core/files/output/outputFolder.ts'
import { readElements } from '../src/core/files/storedWeight.ts'
import { PRIVATE_MERGES } from '../src/share/merges.ts'
import type { RoundedWeight, StreamedOutput, StreamedRequest, WrittenAs } from './streamedApi.ts'

export async function outputOf(
  output: StreamedOutput,
): Promise<{ folder: OutputFolder; handle: FileSystemDirectoryHandle }> {
  if (output.kind === 'directory') {
    await assertVacant(output.handle, 'choose an empty folder')
    return { folder: handleOutput(output.handle, false), handle: output.handle }
  }
  const root = await navigator.storage.getDirectory()
  const merges = await root.getDirectoryHandle(PRIVATE_MERGES, { create: true })
  const handle = await merges.getDirectoryHandle(output.name, { create: true })
  await assertVacant(handle, 'choose another name, or delete it first')
  return { folder: handleOutput(handle, true), handle }
}

/** A folder may be the home of a model, even of one that is merged here: nothing there is replaced. */
async function assertVacant(directory: FileSystemDirectoryHandle, instead: string): Promise<void> {
  const names: string[] = []
  for await (const name of (directory as unknown as { keys(): AsyncIterable<string> }).keys())
    names.push(name)
  if (names.includes(JOURNAL_FILE)) return
  const weights = names.filter((name) => /\.(safetensors|gguf|onnx|bin|pt|pth)$|^config\.json$/.test(name))
  if (weights.length === 0) return
  throw new EngineError(
    'request-invalid',
    `${directory.name} holds a model already (${weights[0]}): ${instead}`,
  )
}

const fileOf = (name: string, type: string): string => `${name}-${type.toUpperCase()}.gguf`

const nameOf = (output: StreamedOutput): string =>
  output.kind === 'private' ? output.name : output.handle.name

/** GGUF files of an earlier merge into the same folder. */
export async function forgetConverted(output: StreamedOutput, folder: OutputFolder): Promise<void> {
  for (const type of GGUF_TYPES) await folder.remove(fileOf(nameOf(output), type))
}

/** The GGUF type asked for; undefined for safetensors. */
function ggufType(writtenAs: WrittenAs) {
  if (writtenAs === 'safetensors') return undefined
  const type = GGUF_TYPES.find((known) => writtenAs === `gguf-${known}`)
  if (!type) throw new EngineError('request-invalid', `cannot write ${writtenAs}`)
  return type
}

/** Throws before a merge what writing its result would throw after it: GGUF has no words for every config. */
export function assertWritable(writtenAs: WrittenAs, like: Checkpoint): void {
  const type = ggufType(writtenAs)
  if (type) layGguf(like, type)
}

/** One GGUF file in place of the shards that were written; undefined where safetensors are asked for. */
export async function convert(
  { writtenAs, output }: Pick<StreamedRequest, 'writtenAs' | 'output'>,
  merged: Checkpoint,
  folder: OutputFolder,
  shards: readonly string[],
  signal: AbortSignal,
): Promise<{ files: string[]; bytes: number; rounded: RoundedWeight[]; notes: string[] } | undefined> {
  const type = ggufType(writtenAs)
  if (!type) return undefined
  const name = nameOf(output)
  const layout = layGguf({ ...merged, name }, type)
  const path = fileOf(name, type)
  const rounded: RoundedWeight[] = []
  // One that was half written, or that an earlier merge left, may be longer.
  await forgetConverted(output, folder)
  const file = await folder.open(path)
  let bytes = 0
  try {
    const chunks = writeGguf(
      layout,
      (weight, begin, count) => readElements(merged.stored.get(weight.name)!, begin, count, signal),
      {
        signal,
        onTensor: ({ tensor, encoding, relative, max }) =>
          rounded.push({ tensor, storedAs: encoding.toUpperCase(), relative, max }),
      },
    )
    for await (const chunk of chunks) {
      await file.write(chunk, bytes)
      bytes += chunk.byteLength
    }
    await file.flush()
  } finally {
    await file.close()
  }
  for (const shard of [...shards, 'model.safetensors.index.json']) await folder.remove(shard)
  const fallback =
    layout.fallbacks.length > 0
      ? [`F16 instead, rows being no whole blocks: ${layout.fallbacks.join(', ')}`]
      : []
  rounded.sort((a, b) => b.relative - a.relative)
  return { files: [path], bytes, rounded, notes: [...layout.notes, ...fallback] }
}
