// A shipped file: packed results with what they were made from, so that a file that no longer fits is noticed.

import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Experiment } from '../../../workers/api.ts'
import { type ShippedSet, shippedVersion } from '../../help/shipped.ts'
import { packResults } from '../../share/results.ts'
import type { ShippedResults } from './studio.ts'

/** SHA-256, hex, of what decides the numbers: weights of the built-in models in the index's order, probes, rules. */
export interface ShippedInputs {
  zoo: string
  probes: string
  rules: string
}

export interface ShippedFile extends ShippedInputs {
  version: number
  id: string
  results: unknown
}

export async function shippedInputs(site: string): Promise<ShippedInputs> {
  const digest = async (...paths: string[]) => {
    const hash = createHash('sha256')
    for (const path of paths) hash.update(await readFile(join(site, path)))
    return hash.digest('hex')
  }
  const index = JSON.parse(await readFile(join(site, 'zoo/index.json'), 'utf8')) as {
    models: { id: string }[]
  }
  return {
    zoo: await digest(...index.models.map(({ id }) => `zoo/${id}/model.safetensors`)),
    probes: await digest('zoo/probes.json'),
    rules: await digest('labellers/rules.json'),
  }
}

/** Text of the file, with the pictures of every view: what ships counts as measured. */
export function shippedFile(
  set: ShippedSet,
  experiment: Experiment,
  results: ShippedResults,
  inputs: ShippedInputs,
): string {
  const file: ShippedFile = {
    ...{ version: shippedVersion, id: set.id, ...inputs },
    results: packResults({ experiment, ...results }),
  }
  return `${JSON.stringify(file)}\n`
}
