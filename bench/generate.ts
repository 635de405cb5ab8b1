// npm run bench -- generate: prefill and decode of a zoo model and a mid-size one, in Node and in Chromium.

import { globals } from 'webgpu'
import { onPage } from '../src/cli/browserPage.ts'
import { loadOrtNode } from '../src/core/evaluate/ort/ortNode.ts'
import type { Gpu } from '../src/core/gpu/device.ts'
import { type GenerationFigures, measureGeneration } from './generation.ts'
import { type BenchTable, formatRatio, nowMs } from './timing.ts'

/** Two tables, each given away as soon as it is there: here by this run's clock, in Chromium by the one on the wall. */
export async function benchGenerate(gpu: Gpu, add: (table: BenchTable) => void): Promise<void> {
  const ort = await loadOrtNode({ gpu: navigator.gpu, globals })
  const here = await measureGeneration(gpu, ort, nowMs, console.log)
  add(
    table('Generation in Node', here, [
      'wasm runs through V8’s baseline compiler here; Chromium optimises it.',
    ]),
  )
  const there = await onPage('/bench/generationPage.ts', 'measureInPage', [], async (page, version) => {
    page.on('console', (message) => {
      if (message.type() === 'log') console.log(`Chromium: ${message.text()}`)
    })
    const figures = (await page.evaluate('measureInPage()')) as GenerationFigures & { adapter: string }
    return { version, ...figures }
  })
  add(
    table('Generation in Chromium', there, [
      `Chromium ${there.version}, ${there.adapter}; time on the clock.`,
    ]),
  )
}

function table(title: string, { rows, notes }: GenerationFigures, more: string[]): BenchTable {
  const cell = ([one, many]: [number, number]) => `${rate(one)} / ${rate(many)}`
  return {
    title,
    header: [
      'model',
      'path',
      'prefill tokens/s, one / several',
      'decode tokens/s, one / several',
      'decode of ours',
    ],
    rows: rows.map(({ model, path, prefill, decode }) => {
      const own = rows.find((row) => row.model === model)!
      const shares = decode.map((value, i) => formatRatio(value / own.decode[i]))
      return [model, path, cell(prefill), cell(decode), shares.join(' / ')]
    }),
    notes: [...notes, ...more],
    missed: [],
  }
}

const rate = (value: number): string => value.toFixed(value < 100 ? 1 : 0)
