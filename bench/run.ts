// npm run bench -- [FOLDER] [--write]: speed of the engine as ratios against named peers in the same run, so that
// a busy or slow machine shows in both. FOLDER holds other people's matmul kernels (bench.mjs, kernels.mjs).
// `generate` instead of a folder measures generation alone. --write renews docs/bench.md, or the sections measured.
// Exit code 1 when a target is missed. `npm run bench -- large …` is large.ts, `points` is points.ts, `drag` is drag.ts.

import { readFile, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { nodeGpu } from '../src/cli/nodeGpu.ts'
import { Gpu } from '../src/core/gpu/device.ts'
import { benchPage, tableLines, withSection } from './benchPage.ts'
import { benchGenerate } from './generate.ts'
import { benchMatmul } from './matmul.ts'
import { benchMerge } from './merge.ts'
import { benchModel } from './model.ts'
import { type BenchTable, chooseClock } from './timing.ts'

// bench/slider.ts, where there is one: exports benchSlider(gpu).
const sliders = import.meta.glob<{ benchSlider: (gpu: Gpu) => Promise<BenchTable> }>('./slider.ts')

export async function main(args: string[]): Promise<number> {
  if (args[0] === 'drag') return (await import('./drag.ts')).drag(args.slice(1))
  if (args[0] === 'points') return (await import('./points.ts')).points(args.slice(1))
  if (args[0] === 'large') return (await import('./large.ts')).large(args.slice(1))
  const [peers, ...more] = args.filter((arg) => !arg.startsWith('--'))
  if (more.length > 0 || args.some((arg) => arg.startsWith('--') && arg !== '--write')) {
    console.error('usage: npm run bench -- [generate | FOLDER of matmul kernels] [--write]')
    return 2
  }
  const gpu = await Gpu.open(await nodeGpu())
  const { adapter, isFallback } = gpu.summary
  const machine = `${adapter}${isFallback ? ' (software)' : ''} on ${cpus().length} × ${cpus()[0].model.trim()}`
  const clock = chooseClock(isFallback)
  console.log(`adapter: ${machine}; ${clock}`)
  const tables: BenchTable[] = []
  const add = (table: BenchTable) => {
    tables.push(table)
    console.log(`\n${plain(table)}`)
  }
  const isPart = peers === 'generate'
  if (!isPart) {
    add(await benchMatmul(gpu, peers))
    add(await benchModel(gpu))
    add(await benchMerge(gpu))
    for (const load of Object.values(sliders)) add(await (await load()).benchSlider(gpu))
  }
  await benchGenerate(gpu, add)
  gpu.close()
  const missed = tables.flatMap((table) => table.missed)
  for (const line of missed) console.log(`MISSED ${line}`)
  if (args.includes('--write')) {
    const text = isPart
      ? renewed(await readFile(benchPage, 'utf8'), tables)
      : markdown(machine, clock, tables)
    await writeFile(benchPage, text)
  }
  return missed.length === 0 ? 0 : 1
}

function plain({ title, header, rows, notes }: BenchTable): string {
  const widths = header.map((_, c) => Math.max(...[header, ...rows].map((row) => row[c].length)))
  const line = (row: string[]) => row.map((cell, c) => cell.padEnd(widths[c])).join('  ')
  return [title, line(header), ...rows.map(line), ...notes].join('\n')
}

/** A table as a section of the page. */
function section({ title, header, rows, notes, missed }: BenchTable): string {
  const misses = missed.map((text) => `**Missed:** ${text}.`)
  return [`## ${title}`, '', ...tableLines(header, rows), '', ...notes, ...misses, ''].join('\n')
}

const renewed = (page: string, tables: BenchTable[]): string =>
  tables.reduce((text, table) => withSection(text, table.title, section(table)), page)

function markdown(machine: string, clock: string, tables: BenchTable[]): string {
  const date = new Date().toISOString().slice(0, 10)
  return [
    '# Speed',
    '',
    `Written by \`npm run bench -- FOLDER --write\` on ${date}, ${machine}, Node ${process.versions.node}.`,
    `Shortest of several rounds, ${clock}; ratios against peers in the same run.`,
    '',
    ...tables.map(section),
  ].join('\n')
}
