// Shards written in place, and a journal beside them of tensors that are complete: what a killed merge had finished is
// not merged again, and the files are the same as if it had never been killed. The journal's first line says what is
// being written; each further line names one tensor, after its bytes are safe. The last line may be torn.

import { EngineError, throwIfCancelled } from '../../errors.ts'
import type { WeightType } from '../../tensors/dtype.ts'
import { JOURNAL_FILE } from './journalFile.ts'
import { type OutputFile, type OutputFolder, writeText } from './outputFolder.ts'
import { INDEX_FILE, layShards, type PlacedTensor, type Shard, shardIndex } from './shardLayout.ts'

const FORMAT = 'alignmerge-journal'
const VERSION = 1

export interface PlacedOutput {
  folder: OutputFolder
  tensors: readonly { name: string; shape: readonly number[] }[]
  type: WeightType
  /** largest weight file, bytes of data */
  shardBytes: number
  /** of everything that the bytes follow from: plan and inputs */
  digest: string
}

interface Open {
  shard: Shard
  file: OutputFile
}

export class PlacedWriter {
  readonly shards: Shard[]
  /** names of tensors that are complete */
  readonly done = new Set<string>()
  /** how many of them were so before */
  resumed = 0
  private readonly output: PlacedOutput
  private readonly places = new Map<string, { shard: Shard; tensor: PlacedTensor }>()
  private current: Open | undefined
  private journal: OutputFile | undefined
  private journalEnd = 0
  /** complete, but not yet safe */
  private pending: string[] = []

  private constructor(output: PlacedOutput) {
    this.output = output
    this.shards = layShards(output.tensors, output.type, output.shardBytes)
    for (const shard of this.shards)
      for (const tensor of shard.tensors) this.places.set(tensor.name, { shard, tensor })
  }

  /** Takes up what a journal of the same digest and layout says is done, or begins anew. */
  static async open(output: PlacedOutput): Promise<PlacedWriter> {
    const writer = new PlacedWriter(output)
    const { folder } = output
    const begin = `${JSON.stringify(writer.title())}\n`
    const text = await folder.readText(JOURNAL_FILE)
    if (text?.startsWith(begin)) {
      const lines = text.slice(begin.length).split('\n')
      // What follows the last line feed was being written when the end came.
      lines.pop()
      for (const line of lines) await writer.believe(line)
      writer.resumed = writer.done.size
    } else await writer.removeOld(text)
    const kept = [begin, ...[...writer.done].map(lineOf)].join('')
    await writeText(folder, JOURNAL_FILE, kept)
    writer.journal = await folder.open(JOURNAL_FILE)
    writer.journalEnd = new TextEncoder().encode(kept).byteLength
    return writer
  }

  private title() {
    const { digest, type } = this.output
    const files = this.shards.map(({ file, byteLength }) => [file, byteLength])
    return { format: FORMAT, version: VERSION, digest, type, files }
  }

  /** A tensor counts as done when its file reaches beyond it: a directory may have been emptied since. */
  private async believe(line: string): Promise<void> {
    let name: unknown
    try {
      name = (JSON.parse(line) as { done?: unknown }).done
    } catch {
      return
    }
    const place = typeof name === 'string' ? this.places.get(name) : undefined
    if (!place) return
    const size = (await this.output.folder.size(place.shard.file)) ?? 0
    if (size >= place.tensor.offset + place.tensor.byteLength) this.done.add(place.tensor.name)
  }

  /** Shards of another merge that was begun here. */
  private async removeOld(journal: string | undefined): Promise<void> {
    const { folder } = this.output
    let files: unknown[] = []
    try {
      const title = JSON.parse((journal ?? '').split('\n')[0]) as { files?: unknown }
      if (Array.isArray(title.files)) files = title.files
    } catch {
      // No journal that says what was there.
    }
    const own = this.shards.map(({ file }) => file)
    const old = files.map((entry) => (Array.isArray(entry) ? String(entry[0]) : ''))
    for (const file of new Set([...own, ...old]))
      if (/^model(-\d+-of-\d+)?\.safetensors$/.test(file)) await folder.remove(file)
  }

  /** Bytes from element `start` of a tensor on, in the output's type. */
  async write(name: string, byteOffset: number, bytes: Uint8Array): Promise<void> {
    const place = this.places.get(name)
    if (!place) throw new EngineError('request-invalid', 'the result has no such tensor', { tensor: name })
    const { shard, tensor } = place
    if (byteOffset + bytes.byteLength > tensor.byteLength)
      throw new EngineError(
        'shape-mismatch',
        `expected ${tensor.byteLength} bytes, found ${byteOffset + bytes.byteLength}`,
        { tensor: name },
      )
    const { file } = await this.openShard(shard)
    await file.write(bytes, tensor.offset + byteOffset)
  }

  private async openShard(shard: Shard): Promise<Open> {
    if (this.current?.shard === shard) return this.current
    await this.closeShard()
    const file = await this.output.folder.open(shard.file)
    this.current = { shard, file }
    await file.write(shard.header, 0)
    return this.current
  }

  private async closeShard(): Promise<void> {
    await this.current?.file.close()
    this.current = undefined
    await this.record()
  }

  /** Marks a tensor as complete. */
  async finish(name: string): Promise<void> {
    this.done.add(name)
    this.pending.push(name)
    if (!this.output.folder.isDurable) return
    await this.current?.file.flush()
    await this.record()
  }

  private async record(): Promise<void> {
    if (this.pending.length === 0 || !this.journal) return
    const bytes = new TextEncoder().encode(this.pending.map(lineOf).join(''))
    this.pending = []
    await this.journal.write(bytes, this.journalEnd)
    this.journalEnd += bytes.byteLength
    if (this.output.folder.isDurable) await this.journal.flush()
    else {
      await this.journal.close()
      this.journal = await this.output.folder.open(JOURNAL_FILE)
    }
  }

  /** Keeps what is there for another time. */
  async close(): Promise<void> {
    await this.closeShard()
    await this.journal?.close()
    this.journal = undefined
  }

  /**
   * The index. The journal stays until `settle`, so that what is still to be made of the shards can be killed without
   * losing them. `request-invalid` when tensors are missing.
   */
  async complete(signal?: AbortSignal): Promise<void> {
    throwIfCancelled(signal)
    const missing = this.output.tensors.length - this.done.size
    if (missing > 0) throw new EngineError('request-invalid', `${missing} tensors were not written`)
    await this.close()
    const { folder } = this.output
    const index = shardIndex(this.shards)
    if (index === undefined) await folder.remove(INDEX_FILE)
    else await writeText(folder, INDEX_FILE, index)
  }

  /** Nothing more is to be done here: the next merge into the folder begins anew. */
  settle(): Promise<void> {
    return this.output.folder.remove(JOURNAL_FILE)
  }
}

const lineOf = (name: string): string => `${JSON.stringify({ done: name })}\n`
