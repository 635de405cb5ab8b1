// One folder of reference vectors, whatever it holds: a model family's or merge methods'.

import { EngineError } from '../errors.ts'
import { openCheckpoint } from '../files/checkpoint.ts'
import type { CheckpointFolder } from '../files/folder.ts'
import type { Gpu } from '../gpu/device.ts'
import { verifyFamily } from './verifyFamily.ts'
import { isMergeFolder, verifyMerge } from './verifyMerge.ts'

/** One line of the report. */
export interface ComparedRow {
  /** logits, gradients …, or case and method */
  kind: string
  worst: string
  error: number
  bound: number
  tensors: number
  passed: boolean
  fault?: string
}

export interface CaseResult {
  name: string
  rows: ComparedRow[]
  error?: string
}

/** Never rejects: what goes wrong is the result's `error`. */
export async function verifyFolder(gpu: Gpu, name: string, folder: CheckpointFolder): Promise<CaseResult> {
  try {
    if (!(await isMergeFolder(folder)))
      return { name, rows: await verifyFamily(gpu, await openCheckpoint(folder), folder) }
    const rows = await verifyMerge(gpu, folder)
    return { name, rows: rows.map((row) => ({ ...row, kind: `${row.case} ${row.method}` })) }
  } catch (error) {
    const message = error instanceof EngineError ? `${error.code}: ${error.message}` : String(error)
    return { name, rows: [], error: message }
  }
}
