// npm run results -- [--zoo public/zoo] [--out docs/results.md] [--seeds 3] [--quick] [--fresh] [--render] [--families]:
// merges the built-in models by every method, measures all of them at every seed and writes the tables, what they say,
// and the full numbers as JSON beside them. Finished rows are kept in .cache, so that a run that was stopped goes on;
// --fresh forgets them. --quick takes 64 probes of each class instead of 160, the least that AQI needs; --render writes
// the page anew from the JSON beside it; --families measures the micro families instead and adds their section to the
// page and the JSON that are there. Exit code 2 on wrong usage.

import { readFile, writeFile } from 'node:fs/promises'
import { openZoo } from './openZoo.ts'
import { keptRows, reportMain, writeReport } from './reportCommand.ts'
import { runFamilies } from './resultsFamilies.ts'
import { resultsPage } from './resultsPage.ts'
import { type Results, runResults } from './resultsRun.ts'

const PER_CLASS = 160
const QUICK_PER_CLASS = 64

export const main = reportMain(
  { name: 'results', out: 'docs/results.md', takes: ['seeds', 'families'] },
  async (options, paths) => {
    const before = JSON.parse(await readFile(paths.numbers, 'utf8').catch(() => 'null')) as Results | null
    if ((options.isRender || options.isFamilies) && !before) {
      console.error(`${paths.numbers}: expected the numbers of an earlier run`)
      return 2
    }
    if (options.isRender && before) {
      await writeFile(paths.page, resultsPage(before))
      return 0
    }
    const perClass = options.isQuick ? QUICK_PER_CLASS : PER_CLASS
    const run = {
      perClass,
      seeds: Array.from({ length: options.seeds }, (_, i) => i + 1),
      cache: await keptRows(options.isFamilies ? 'families' : 'results', options.isFresh),
      log: (line: string) => console.log(line),
    }
    const write = async (results: Results, seconds: number): Promise<number> => {
      await writeReport(paths, resultsPage(results), JSON.stringify(results, undefined, 1), seconds)
      return 0
    }
    if (options.isFamilies && before) {
      const families = await runFamilies(paths.zoo, run)
      return write({ ...before, families }, families.seconds)
    }
    const { gpu, session, index } = await openZoo(paths.zoo)
    const results = await runResults(session, index, { ...run, ablationPerClass: perClass })
    session.dispose()
    gpu.close()
    return write({ ...results, ...(before?.families && { families: before.families }) }, results.seconds)
  },
)
