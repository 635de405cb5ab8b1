// npm run shipped [-- --only ID,…] [--out FOLDER]: measures the experiments of src/help/shipped.ts with the session that
// the page has, on Node's adapter, and writes what the page shows before anything is computed in the tab.

import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { Experiment } from '../../workers/api.ts'
import { shippedExperiment, shippedSets } from '../help/shipped.ts'
import { shippedFile, shippedInputs } from './shipped/file.ts'
import { openShippedStudio } from './shipped/studio.ts'

/** Of all files together; they are fetched one at a time. */
const MAX_BYTES = 150_000

export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: { only: { type: 'string' }, out: { type: 'string', default: 'public/results' } },
  })
  const only = values.only?.split(',')
  const unknown = only?.filter((id) => !shippedSets.some((set) => set.id === id)) ?? []
  if (unknown.length > 0) {
    console.error(`there is no ${unknown.join(', ')}: ${shippedSets.map(({ id }) => id).join(', ')}`)
    return 2
  }
  const folder = resolve(values.out)
  await mkdir(folder, { recursive: true })
  const inputs = await shippedInputs(resolve('public'))
  const studio = await openShippedStudio(resolve('public'))
  try {
    for (const set of shippedSets) {
      if (only && !only.includes(set.id)) continue
      const begun = performance.now()
      const base: Experiment = shippedExperiment(set)
      const measured = await studio.measure(set, (line) => console.log(`${set.id}: ${line}`))
      const text = shippedFile(set, base, measured, inputs)
      await writeFile(join(folder, `${set.id}.json`), text)
      const seconds = ((performance.now() - begun) / 1000).toFixed(0)
      console.log(`${set.id}: ${measured.rows.length} subjects, ${text.length} bytes, ${seconds} s`)
    }
  } finally {
    studio.close()
  }
  const sizes = await Promise.all(
    shippedSets.map(({ id }) =>
      readFile(join(folder, `${id}.json`)).then(
        ({ byteLength }) => byteLength,
        () => 0,
      ),
    ),
  )
  const total = sizes.reduce((sum, bytes) => sum + bytes, 0)
  console.log(`${total} bytes in all, at most ${MAX_BYTES}`)
  return total <= MAX_BYTES ? 0 : 1
}
