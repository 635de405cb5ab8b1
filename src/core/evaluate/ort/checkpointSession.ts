// Opens onnxruntime over a user's ONNX files: model bytes with what is appended to them, data files beside, the cache
// left where it is computed. Running it is checkpointModel.ts.

import type { OnnxCheckpoint } from '../../files/formats/onnx/openOnnx.ts'
import type { ByteSource } from '../../files/source.ts'
import { addBranches, type Branch } from './branchGraph.ts'
import { type CheckpointGraph, checkpointGraph } from './checkpointGraph.ts'
import { inLine, type OrtModule, type OrtSession, onDevice, onHost } from './ortSession.ts'

export interface OrtCheckpointOptions {
  /** absent: the wasm provider */ device?: GPUDevice | undefined
  /** low-rank branches beside matrices, moved by `move`; all of rank `rank` */
  branches?: { factors: readonly Branch[]; rank: number } | undefined
  signal?: AbortSignal | undefined
}

const COPY_BYTES = 2 ** 24

/** The session and what is known of its graph. */
export async function openSession(
  ort: OrtModule,
  checkpoint: OnnxCheckpoint,
  { device, branches, signal }: OrtCheckpointOptions,
): Promise<{ graph: CheckpointGraph; session: OrtSession }> {
  const graph = checkpointGraph(checkpoint)
  const file = await readWhole(checkpoint.model.source, signal)
  const isHalf = graph.cache.some(({ type }) => type === 'float16')
  const moved = branches ? addBranches(file, checkpoint, branches.factors, branches.rank, isHalf) : file
  const bytes = new Uint8Array(moved.byteLength + graph.appended.byteLength)
  bytes.set(moved)
  bytes.set(graph.appended, moved.byteLength)
  const externalData: { path: string; data: Uint8Array }[] = []
  for (const { location, source } of checkpoint.data)
    externalData.push({ path: location, data: await readWhole(source, signal) })
  const kept = graph.cache.map(({ present }) => [present, 'gpu-buffer'] as const)
  const create = () =>
    ort.InferenceSession.create(bytes, {
      executionProviders: device ? [{ name: 'webgpu', device }] : ['wasm'],
      graphOptimizationLevel: 'all',
      logSeverityLevel: 3,
      ...(device && { preferredOutputLocation: Object.fromEntries(kept) }),
      externalData,
    })
  const session = await inLine(() => (device ? onDevice(device, create) : onHost(create)))
  return { graph, session }
}

async function readWhole(
  source: ByteSource,
  signal: AbortSignal | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(source.size)
  for (let at = 0; at < source.size; at += COPY_BYTES)
    bytes.set(await source.read(at, Math.min(COPY_BYTES, source.size - at), signal), at)
  return bytes
}
