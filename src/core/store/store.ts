// Models kept on this machine, in the origin-private file system:
//   manifests/<hash of the source>.json   what belongs to a model
//   files/<hash>                          whole verified files by their content, one for all models that have it
//   partial/<key>.data, .journal          files that are arriving
// A model is offered as whole only when every file of it is; a killed tab leaves partial files that the next start takes
// up. Several tabs share it by named locks: one fetches a model, everything else is short.

import { EngineError, throwIfCancelled } from '../errors.ts'
import type { CheckpointFolder } from '../files/folder.ts'
import { BlobSource } from '../files/source.ts'
import { UrlSource } from '../files/urlSource.ts'
import {
  arrivedBytes,
  dataName,
  downloadFile,
  type FileToKeep,
  journalName,
  removePartial,
} from './download.ts'
import {
  blobName,
  contentDigest,
  type KeptSource,
  type Manifest,
  type ManifestFile,
  type ModelAbout,
  manifestName,
  parseManifest,
  partialKey,
  sourceKey,
} from './manifest.ts'
import { fullError, requireRoom } from './quota.ts'
import {
  findFile,
  isQuotaError,
  namesIn,
  readTextOf,
  removeFile,
  type Storage,
  type StoreDirectory,
  sizeOf,
  writeText,
} from './storage.ts'

export interface ModelToKeep {
  name: string
  source: KeptSource
  about: ModelAbout
  files: readonly FileToKeep[]
}

export interface KeptModel {
  manifest: Manifest
  isWhole: boolean
  /** bytes that are here, of `total` */
  arrived: number
  total: number
}

export interface KeepOptions {
  signal?: AbortSignal | undefined
  onProgress?: ((arrived: number, total: number) => void) | undefined
  onNote?: ((note: string) => void) | undefined
}

const STORE_LOCK = 'alignmerge store'

export class ModelStore {
  private readonly storage: Storage
  private readonly manifests: StoreDirectory
  private readonly files: StoreDirectory
  private readonly partial: StoreDirectory

  private constructor(storage: Storage, directories: StoreDirectory[]) {
    this.storage = storage
    ;[this.manifests, this.files, this.partial] = directories
  }

  static async open(storage: Storage): Promise<ModelStore> {
    const root = await storage.root.getDirectoryHandle('alignmerge', { create: true })
    const directories: StoreDirectory[] = []
    for (const name of ['manifests', 'files', 'partial'])
      directories.push(await root.getDirectoryHandle(name, { create: true }))
    return new ModelStore(storage, directories)
  }

  /** Everything kept or begun, oldest first. */
  async list(): Promise<KeptModel[]> {
    const models: KeptModel[] = []
    const manifests = await this.locked(() => this.readManifests())
    for (const manifest of manifests) models.push(await this.stateOf(manifest))
    return models.sort((a, b) => a.manifest.addedAt.localeCompare(b.manifest.addedAt))
  }

  async find(key: string): Promise<KeptModel | undefined> {
    const manifest = await this.locked(() => this.readManifest(key))
    return manifest && this.stateOf(manifest)
  }

  /** The whole model with this content; undefined when it is not here. */
  async findDigest(digest: string): Promise<KeptModel | undefined> {
    const all = await this.locked(() => this.readManifests())
    const found = all.find((manifest) => manifest.digest === digest)
    const state = found && (await this.stateOf(found))
    return state?.isWhole ? state : undefined
  }

  /**
   * Fetches what is missing of a model; resolves when all of it is here and verified. Rejects `storage-full` with what
   * is needed and free, `storage-busy` when another tab is at it, and as `downloadFile`; what is good stays for later.
   */
  async keep(model: ModelToKeep, options: KeepOptions = {}): Promise<Manifest> {
    const key = sourceKey(model.source)
    const held = await this.storage.locks.tryHold(`alignmerge keep ${key}`, () =>
      this.fetchAll(key, model, options),
    )
    if (!held)
      throw new EngineError(
        'storage-busy',
        `${model.name} is being fetched in another tab; it will appear here`,
      )
    return held.value
  }

  private async fetchAll(key: string, model: ModelToKeep, options: KeepOptions): Promise<Manifest> {
    const before = await this.locked(() => this.readManifest(key))
    const files = await this.carryOver(model.files, before, options)
    const manifest: Manifest = {
      ...{ version: 1, key, name: model.name, source: model.source, about: model.about, files },
      addedAt: before?.addedAt ?? new Date().toISOString(),
    }
    const total = files.reduce((sum, { size }) => sum + size, 0)
    const missing = await this.missingBytes(manifest)
    try {
      await requireRoom(this.storage, model.name, missing)
      await this.locked(() => this.writeManifest(manifest))
      let whole = files.reduce((sum, { blob, size }) => sum + (blob ? size : 0), 0)
      options.onProgress?.(whole, total)
      // Small files first: what a model is can be read as soon as possible.
      for (const file of [...files].sort((a, b) => a.size - b.size)) {
        throwIfCancelled(options.signal)
        if (file.blob) continue
        const given = model.files.find(({ path }) => path === file.path)!
        await this.fetchFile(manifest, file, given, {
          ...options,
          onArrived: (bytes) => options.onProgress?.(whole + bytes, total),
        })
        whole += file.size
        options.onProgress?.(whole, total)
      }
      manifest.digest = await contentDigest(files)
      await this.locked(() => this.writeManifest(manifest))
      return manifest
    } catch (error) {
      if (!isQuotaError(error)) throw error
      throw await fullError(this.storage, model.name, missing)
    }
  }

  /** Files as they are now, with what of them is here already: the same hash, or fetched under the same validator. */
  private async carryOver(
    files: readonly FileToKeep[],
    before: Manifest | undefined,
    { onNote }: KeepOptions,
  ): Promise<ManifestFile[]> {
    const carried: ManifestFile[] = []
    for (const { path, size, hash, source } of files) {
      const validator = source instanceof UrlSource && !hash ? source.validator : undefined
      const file: ManifestFile = {
        path,
        size,
        ...(hash && { hash }),
        ...(validator !== undefined && { validator }),
      }
      const old = before?.files.find((other) => other.path === path)
      const isSame = hash
        ? true
        : old?.size === size && validator !== undefined && old.validator === validator
      const blob = hash ? blobName(hash) : old?.blob
      if (blob && isSame && (await this.hasBlob(blob, size))) file.blob = blob
      else if (old?.blob && !isSame) onNote?.(`${path} has changed at its source and is fetched anew`)
      carried.push(file)
    }
    return carried
  }

  private async fetchFile(
    manifest: Manifest,
    file: ManifestFile,
    given: FileToKeep,
    options: KeepOptions & { onArrived: (bytes: number) => void },
  ): Promise<void> {
    const key = await partialKey(manifest.key, file)
    // Another model with the same file may be fetching it: its download is ours too.
    await this.storage.locks.hold(`alignmerge file ${key}`, async () => {
      if (!file.hash || !(await this.hasBlob(blobName(file.hash), file.size))) {
        const hash = await downloadFile(this.partial, key, given, {
          ...options,
          rangeBytes: this.storage.rangeBytes,
        })
        await this.locked(async () => {
          const name = blobName(hash)
          const data = await this.partial.getFileHandle(dataName(key))
          if (await this.hasBlob(name, file.size)) await removeFile(this.partial, dataName(key))
          else await data.move(this.files, name)
          await removeFile(this.partial, journalName(key))
          file.blob = name
          await this.writeManifest(manifest)
        })
      } else {
        file.blob = blobName(file.hash)
        await this.locked(() => this.writeManifest(manifest))
      }
    })
  }

  /** Deletes a model, whole or begun, and the files that no other model has. Rejects `storage-busy` while it is fetched. */
  async remove(key: string): Promise<void> {
    const held = await this.storage.locks.tryHold(`alignmerge keep ${key}`, () =>
      this.locked(async () => {
        await removeFile(this.manifests, await manifestName(key))
        await this.collect()
      }),
    )
    if (!held)
      throw new EngineError('storage-busy', 'it is being fetched; pause that first, here or in the other tab')
  }

  /** Deletes every file that no manifest names. */
  private async collect(): Promise<void> {
    const blobs = new Set<string>()
    const partials = new Set<string>()
    for (const manifest of await this.readManifests())
      for (const file of manifest.files) {
        if (file.blob) blobs.add(file.blob)
        else partials.add(await partialKey(manifest.key, file))
      }
    for (const name of await namesIn(this.files)) if (!blobs.has(name)) await removeFile(this.files, name)
    const keys = new Set((await namesIn(this.partial)).map((name) => name.replace(/\.(data|journal)$/, '')))
    for (const key of keys) if (!partials.has(key)) await removePartial(this.partial, key)
  }

  /** A whole model's files; `file-missing` where it is not whole. */
  async folder(key: string): Promise<CheckpointFolder> {
    const model = await this.find(key)
    if (!model?.isWhole)
      throw new EngineError(
        'file-missing',
        `${model?.manifest.name ?? key} is not kept whole on this machine`,
      )
    const { manifest } = model
    const byPath = new Map(manifest.files.map((file) => [file.path, file]))
    return {
      name: manifest.name,
      list: () => [...byPath.keys()],
      file: async (path) => {
        const file = byPath.get(path)
        if (!file) return undefined
        const handle = await findFile(this.files, file.blob!)
        if (!handle)
          throw new EngineError('file-missing', `deleted from this machine's store`, { file: path })
        return new BlobSource(await handle.getFile(), path)
      },
    }
  }

  private async stateOf(manifest: Manifest): Promise<KeptModel> {
    let arrived = 0
    let isWhole = manifest.digest !== undefined
    for (const file of manifest.files) {
      if (file.blob && (await this.hasBlob(file.blob, file.size))) arrived += file.size
      else {
        isWhole = false
        arrived += await arrivedBytes(this.partial, await partialKey(manifest.key, file), file.size)
      }
    }
    const total = manifest.files.reduce((sum, { size }) => sum + size, 0)
    return { manifest, isWhole, arrived, total }
  }

  /** Bytes that are neither here nor have room taken for them. */
  private async missingBytes(manifest: Manifest): Promise<number> {
    let missing = 0
    for (const file of manifest.files) {
      if (file.blob) continue
      const name = dataName(await partialKey(manifest.key, file))
      if ((await sizeOf(this.partial, name)) !== file.size) missing += file.size
    }
    return missing
  }

  private async hasBlob(name: string, size: number): Promise<boolean> {
    return (await sizeOf(this.files, name)) === size
  }

  private locked<T>(work: () => Promise<T>): Promise<T> {
    return this.storage.locks.hold(STORE_LOCK, work)
  }

  // Manifests are written and read under the store's lock alone: a moment without one would make its files nobody's.
  private async writeManifest(manifest: Manifest): Promise<void> {
    await writeText(this.manifests, await manifestName(manifest.key), JSON.stringify(manifest))
  }

  private async readManifest(key: string): Promise<Manifest | undefined> {
    const text = await readTextOf(this.manifests, await manifestName(key))
    return text === undefined ? undefined : parseManifest(text)
  }

  private async readManifests(): Promise<Manifest[]> {
    const all: Manifest[] = []
    for (const name of await namesIn(this.manifests)) {
      const text = name.endsWith('.json') ? await readTextOf(this.manifests, name) : undefined
      const manifest = text === undefined ? undefined : parseManifest(text)
      if (manifest) all.push(manifest)
    }
    return all
  }
}
