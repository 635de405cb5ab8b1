// npm run geometry [-- --out public/geometry]: computes what a page without WebGPU loads, by the real session on this
// machine's adapter: the anchor's Fisher diagonal and packed alignment directions.

import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { ExportEntry } from '../core/files/exporter.ts'
import { MemorySource } from '../core/files/source.ts'
import { writeDirections } from '../core/geometry/directionsFile.ts'
import { makeDirections } from '../core/session/cpu/makeDirections.ts'
import { SHELF_INDEX, type ShelfEntry, type ShelfIndex } from '../core/session/cpu/shelf.ts'
import type { Session, Setup } from '../core/session/session.ts'
import { twoTasks } from '../share/parameters.ts'
import { equalSetup } from './equalSetup.ts'
import { openZoo } from './openZoo.ts'

/** What is shipped: the experiment that the page opens with, and the one of the tour. */
export const SHIPPED: readonly Setup[] = [
  equalSetup('anchor', twoTasks),
  equalSetup('anchor', ['task-sort', 'uncensored']),
]

async function joined(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = []
  for await (const part of chunks) parts.push(part)
  return new Uint8Array(Buffer.concat(parts))
}

/** The files of one geometry by name, and its line of the index. */
export async function shipGeometry(
  session: Session,
  setup: Setup,
): Promise<{ entry: ShelfEntry; files: Map<string, Uint8Array<ArrayBuffer>> }> {
  const exported: ExportEntry = await session.files.exportFisher(setup.anchor, setup.fisher, setup.seed)
  const fisher = await joined(exported.chunks())
  const made = await makeDirections(session, setup, new MemorySource(fisher, exported.path))
  const directions = await joined(writeDirections(made))
  const words = [setup.anchor, ...setup.experts.map(({ id }) => id), setup.source, setup.seed]
  const name = `${words.join('_').replaceAll('/', '-')}.safetensors`
  return {
    entry: {
      settings: made.settings,
      anchor: made.anchor,
      experts: made.experts,
      fisher: exported.path,
      directions: name,
      byteLength: fisher.byteLength + directions.byteLength,
    },
    files: new Map([
      [exported.path, fisher],
      [name, directions],
    ]),
  }
}

/** Writes the whole folder anew. */
async function writeShelf(out: string): Promise<void> {
  const { gpu, session } = await openZoo(resolve(import.meta.dirname, '../../public/zoo'))
  const index: ShelfIndex = { version: 1, entries: [] }
  await mkdir(out, { recursive: true })
  for (const name of await readdir(out)) await rm(resolve(out, name))
  for (const setup of SHIPPED) {
    const { entry, files } = await shipGeometry(session, setup)
    for (const [name, bytes] of files) {
      await writeFile(resolve(out, name), bytes)
      console.log(`${name}: ${bytes.byteLength} bytes`)
    }
    index.entries.push(entry)
  }
  await writeFile(resolve(out, SHELF_INDEX), `${JSON.stringify(index, null, 2)}\n`)
  session.dispose()
  gpu.close()
}

if (process.argv[1] === import.meta.filename) {
  const [flag, value, ...rest] = process.argv.slice(2)
  if ((flag !== undefined && flag !== '--out') || (flag === '--out' && !value) || rest.length > 0) {
    console.error('usage: npm run geometry [-- --out FOLDER]')
    process.exitCode = 2
  } else await writeShelf(resolve(value ?? resolve(import.meta.dirname, '../../public/geometry')))
}
