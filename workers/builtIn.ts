// The built-in zoo as the site serves it: an index, one Hugging Face folder per model, one file of probes.

import { EngineError } from '../src/core/errors.ts'
import { type ProbeFile, readProbes } from '../src/core/evaluate/probes.ts'
import type { ModelSummary } from './api.ts'

/** What is said of a model beside its files. */
export type ModelAbout = Pick<ModelSummary, 'name' | 'role' | 'description' | 'skill' | 'digest'>

export type ZooEntry = ModelAbout & { id: string }

/** Address of the zoo: beside the page, whatever path the site lives under. */
export function zooUrl(): string {
  // Dev serves the worker from its source folder, the build from assets/; both are one level below the root.
  return new URL('../zoo/', self.location.href).href
}

async function fetchJson(url: string): Promise<unknown> {
  let response: Response
  try {
    response = await fetch(url)
  } catch (error) {
    throw new EngineError('file-missing', `no answer: ${String(error)}`, { file: url })
  }
  if (!response.ok)
    throw new EngineError('file-missing', `the server answered ${response.status}`, { file: url })
  try {
    return await response.json()
  } catch {
    throw new EngineError('file-malformed', 'expected JSON', { file: url })
  }
}

/** Address of a built-in model's folder; `llama/anchor` is the anchor of a family. */
export function builtInUrl(id: string): string {
  return `${zooUrl()}${id.includes('/') ? 'families/' : ''}${id}/`
}

/** The models that are opened at the start, or those of one family, with its name before their ids. */
export async function fetchZooIndex(family?: string): Promise<ZooEntry[]> {
  const url = `${zooUrl()}${family === undefined ? '' : `families/${family}/`}index.json`
  const index = (await fetchJson(url)) as { models?: ZooEntry[] }
  if (!Array.isArray(index.models))
    throw new EngineError('file-malformed', 'expected a list of models', { file: url })
  return family === undefined
    ? index.models
    : index.models.map((entry) => ({ ...entry, id: `${family}/${entry.id}` }))
}

export async function fetchProbes(): Promise<ProbeFile> {
  const url = `${zooUrl()}probes.json`
  return readProbes(await fetchJson(url), url)
}
