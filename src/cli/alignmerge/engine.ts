// Device, probes and models of a command: opened once, freed at its end.

import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { EngineError } from '../../core/errors.ts'
import { type ProbeFile, readProbes } from '../../core/evaluate/probes.ts'
import { Gpu } from '../../core/gpu/device.ts'
import { type JobOptions, Session } from '../../core/session/session.ts'
import { nodeGpu } from '../nodeGpu.ts'
import type { Call, Option, Output } from './command.ts'
import { ZOO } from './models.ts'

/** Options of every command that measures or estimates with probes. */
export const PROBE_OPTIONS: Readonly<Record<string, Option>> = {
  probes: { value: 'FILE', help: 'probe file (default: the built-in one)' },
  seed: { value: 'N', help: 'of every random choice (default 1)' },
}

export interface Probes {
  file: ProbeFile
  name: string
  sha256: string
}

/** The probe file of --probes, or the built-in one. */
export async function readProbeFile(call: Call): Promise<Probes> {
  const path = resolve(call.text('probes') ?? join(ZOO, 'probes.json'))
  const name = basename(path)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch {
    throw new EngineError('file-missing', `no probe file at ${path}`, { file: name })
  }
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw new EngineError('file-malformed', `no JSON: ${(error as Error).message}`, { file: name })
  }
  return { file: readProbes(json, name), name, sha256: createHash('sha256').update(text).digest('hex') }
}

/** Runs `work` on a device; everything on it is freed afterwards. */
export async function withGpu<T>(output: Output, work: (gpu: Gpu) => Promise<T>): Promise<T> {
  const gpu = await Gpu.open(await nodeGpu())
  output.note(`adapter: ${gpu.summary.adapter}`)
  try {
    return await work(gpu)
  } finally {
    gpu.close()
  }
}

/** The same with a session over the probes. */
export async function withSession<T>(
  output: Output,
  probes: ProbeFile,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  return withGpu(output, async (gpu) => {
    const session = new Session(gpu, probes)
    try {
      return await work(session)
    } finally {
      session.dispose()
    }
  })
}

/** Signal and progress of a job: a line when a part begins and when it ends. */
export function jobOptions(output: Output, signal: AbortSignal): JobOptions {
  let last = ''
  return {
    signal,
    onProgress: (label, done, total) => {
      if (label !== last || done === total) output.note(`${label}: ${done} of ${total}`)
      last = label
    },
  }
}
