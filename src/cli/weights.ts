// npm run weights -- [--zoo public/zoo] [--out docs/weights.md] [--seed 1] [--quick] [--fresh] [--render]: chooses the
// weights of merges of the built-in models by data, judges every choice on held-out probes, and writes the tables and
// the full numbers beside them. Finished rows are kept in .cache, so that a run that was stopped goes on; --fresh
// forgets them. --quick takes 64 probes of each class instead of 160; --render writes the page anew from the JSON
// beside it. Figures of the data mixtures come from mixtures.json beside the page, if it is there. Exit code 2 on
// wrong usage.

import { readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { MixtureResults } from '../../zoo/mixtureBuild.ts'
import { openZoo } from './openZoo.ts'
import { keptRows, reportMain, writeReport } from './reportCommand.ts'
import { weightsPage } from './weightsPage.ts'
import { runWeights, type WeightResults } from './weightsRun.ts'

const PER_CLASS = 160
const QUICK_PER_CLASS = 64

export const main = reportMain(
  { name: 'weights', out: 'docs/weights.md', takes: ['seed'] },
  async (options, paths) => {
    const read = async (path: string): Promise<unknown> => JSON.parse(await readFile(path, 'utf8'))
    const mixtures = (await read(join(dirname(paths.page), 'mixtures.json')).catch(() => undefined)) as
      | MixtureResults
      | undefined
    if (options.isRender) {
      await writeFile(paths.page, weightsPage((await read(paths.numbers)) as WeightResults, mixtures))
      return 0
    }
    const { gpu, session, index } = await openZoo(paths.zoo)
    const results = await runWeights(session, index, {
      seed: options.seed,
      perClass: options.isQuick ? QUICK_PER_CLASS : PER_CLASS,
      cache: await keptRows('weights', options.isFresh),
      log: (line) => console.log(line),
    })
    session.dispose()
    gpu.close()
    const json = JSON.stringify(results, undefined, 1)
    await writeReport(paths, weightsPage(results, mixtures), json, results.seconds)
    return 0
  },
)
