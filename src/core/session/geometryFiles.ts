// Fisher diagonals and rows of A of an open model, written to files and read from them. What is read takes the place of
// what would be computed for the same labels, form, source, split and seed.

import { EngineError } from '../errors.ts'
import type { ProbeFile } from '../evaluate/probes.ts'
import type { Owner } from '../files/boundFile.ts'
import { sha256Text } from '../files/contentHash.ts'
import type { ExportEntry } from '../files/exporter.ts'
import type { ByteSource } from '../files/source.ts'
import { weightsDigest } from '../files/weightsDigest.ts'
import { type FisherFileInfo, loadFisher, saveFisher } from '../geometry/fisherFile.ts'
import { destroyBuffers } from '../geometry/metric.ts'
import { loadRows, type SubspaceFileInfo, saveRows } from '../geometry/subspaceFile.ts'
import type { DeviceModel } from '../model/deviceModel.ts'
import type { GradientBuffers } from '../model/gradientSink.ts'
import type { GradientSource, JobOptions, Session, SessionModel, Setup } from './session.ts'

/** What was read, and whether the session's own probes are what it was taken on. */
export type Imported<Info> = Info & { isOwnProbes: boolean }

/** SHA-256 of what is estimated from: the probes themselves, not the rules that score answers. */
export function probesDigest({ items }: Pick<ProbeFile, 'items'>): Promise<string> {
  const fields = items.map(({ id, set, skill, topic, split, prompt, aligned, misaligned }) => [
    id,
    set,
    skill ?? null,
    topic,
    split,
    prompt,
    aligned,
    misaligned ?? null,
  ])
  return sha256Text(JSON.stringify(fields))
}

const digests = new WeakMap<SessionModel, Promise<string>>()

/** Digest of an open model's weights, computed once. */
function digestOf(loaded: SessionModel, options: JobOptions): Promise<string> {
  const known = digests.get(loaded)
  if (known) return known
  const { checkpoint } = loaded
  const made = weightsDigest(checkpoint, {
    signal: options.signal,
    onProgress: (done, total) => options.onProgress?.(`hashing ${checkpoint.name}`, done, total),
  })
  digests.set(loaded, made)
  // A cancelled or failed digest must not be remembered.
  made.catch(() => digests.delete(loaded))
  return made
}

async function ownerOf(session: Session, id: string, options: JobOptions): Promise<Owner> {
  const loaded = session.get(id)
  const { name, weights } = loaded.checkpoint
  return { name, weights, digest: await digestOf(loaded, options) }
}

/** Frees what was read when its model was closed meanwhile, and throws. */
function assertStillOpen(session: Session, id: string, model: DeviceModel, read: GradientBuffers): void {
  if (session.models.get(id)?.model === model) return
  destroyBuffers(read)
  throw new EngineError('request-invalid', `model ${id} was closed meanwhile`)
}

const progress = (options: JobOptions, label: string) => ({
  signal: options.signal,
  onProgress: (done: number, total: number) => options.onProgress?.(label, done, total),
})

/** The Fisher diagonal of a model as a file; computed if it is not yet. */
export async function exportFisher(
  session: Session,
  id: string,
  how: Setup['fisher'],
  seed: number,
  options: JobOptions = {},
): Promise<ExportEntry & { info: FisherFileInfo }> {
  const fisher = await session.fisher(id, how, seed, options)
  const owner = await ownerOf(session, id, options)
  const recipe = { ...how, seed, probes: await probesDigest(session.probes) }
  return saveFisher(session.get(id).model, owner, fisher, recipe, progress(options, `Fisher of ${id}`))
}

/** Takes a model's Fisher diagonal from a file. Rejects as loadFisher does; the session is then as it was. */
export async function importFisher(
  session: Session,
  id: string,
  source: ByteSource,
  options: JobOptions = {},
): Promise<Imported<FisherFileInfo>> {
  const owner = await ownerOf(session, id, options)
  const { model } = session.get(id)
  const { fisher, info } = await loadFisher(source, model, owner, progress(options, `reading ${source.name}`))
  assertStillOpen(session, id, model, fisher.sums)
  const { labels, form, seed } = info
  session.adoptFisher(id, { labels, form }, seed, fisher)
  return { ...info, isOwnProbes: info.probes === (await probesDigest(session.probes)) }
}

/** The rows of A at a model as a file; computed if they are not yet. `experts` are those of a path, else none. */
export async function exportRows(
  session: Session,
  id: string,
  source: GradientSource,
  split: 'estimate' | 'heldout',
  seed: number,
  options: JobOptions = {},
  experts: readonly string[] = [],
): Promise<ExportEntry & { info: SubspaceFileInfo }> {
  const others = source === 'path' ? experts : []
  const rows = await session.alignmentRows(id, source, split, seed, options, others)
  const owner = await ownerOf(session, id, options)
  const owners: string[] = []
  for (const other of others) owners.push((await ownerOf(session, other, options)).digest)
  const recipe = { source, split, seed, probes: await probesDigest(session.probes), experts: owners }
  return saveRows(session.get(id).model, owner, rows, recipe, progress(options, `rows of A at ${id}`))
}

/**
 * Takes the rows of A at a model from a file. Rejects as loadRows does, and `request-invalid` naming the digests of
 * experts of a path that are not open; the session is then as it was.
 */
export async function importRows(
  session: Session,
  id: string,
  source: ByteSource,
  options: JobOptions = {},
): Promise<Imported<SubspaceFileInfo>> {
  const owner = await ownerOf(session, id, options)
  const { model } = session.get(id)
  const open = new Map<string, string>()
  const assertOpen = async (wanted: readonly string[]): Promise<void> => {
    if (wanted.length === 0) return
    for (const other of session.models.keys())
      open.set((await ownerOf(session, other, options)).digest, other)
    const missing = wanted.filter((digest) => !open.has(digest))
    if (missing.length > 0)
      throw new EngineError(
        'request-invalid',
        `the path leads to experts that are not open, with weights ${missing.join(' and ')}`,
        { file: source.name },
      )
  }
  const { rows, info } = await loadRows(source, model, owner, {
    ...progress(options, `reading ${source.name}`),
    accept: ({ experts }) => assertOpen(experts),
  })
  assertStillOpen(session, id, model, rows.rows)
  const experts = info.experts.map((digest) => open.get(digest)!)
  session.adoptRows([id, ...experts], info.source, info.split, info.seed, rows)
  return { ...info, isOwnProbes: info.probes === (await probesDigest(session.probes)) }
}
