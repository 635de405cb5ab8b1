// npm run after -- [--zoo public/zoo] [--out docs/after.md] [--seed 1] [--quick] [--fresh] [--render]: what can be done
// to a merge once it is there and what it withstands: antidote, forward-only polish, masked prompts, attacks, coverage.
// Writes the tables, what they say, and the full numbers as JSON beside them. Finished rows are kept in .cache, so
// that a run that was stopped goes on; --fresh forgets them. --quick takes 64 probes of each class; --render writes the
// page anew from the JSON beside it. Exit code 2 on wrong usage.

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { framedAttacks, readAttacks } from '../core/evaluate/attackFile.ts'
import { findMaskToken } from '../core/evaluate/masking.ts'
import { afterPage } from './afterPage.ts'
import { type AfterResults, runAfter } from './afterRun.ts'
import { openZoo } from './openZoo.ts'
import { keptRows, reportMain, writeReport } from './reportCommand.ts'
import { anchorOf } from './resultsPlan.ts'

const FULL = { perClass: 240, perKind: 96 }
const QUICK = { perClass: 64, perKind: 32 }

export const main = reportMain(
  { name: 'after', out: 'docs/after.md', takes: ['seed'] },
  async (options, paths) => {
    if (options.isRender) {
      await writeFile(
        paths.page,
        afterPage(JSON.parse(await readFile(paths.numbers, 'utf8')) as AfterResults),
      )
      return 0
    }
    const { gpu, session, index } = await openZoo(paths.zoo)
    const attacks = await readFile(join(paths.zoo, 'attacks.json'), 'utf8')
    const file = readAttacks(JSON.parse(attacks), 'attacks.json')
    const { codec, model } = session.get(anchorOf(index).id)
    const maskToken = codec.tokenOf(findMaskToken(codec, model.config.vocabSize)) ?? 'a row of no token'
    const results = await runAfter(session, index, {
      ...(options.isQuick ? QUICK : FULL),
      seed: options.seed,
      attacks: [...file.items, ...framedAttacks(session.probes)],
      maskToken,
      cache: await keptRows('after', options.isFresh),
      log: (line) => console.log(line),
    })
    session.dispose()
    gpu.close()
    // Six digits are more than any interval holds, and a fifth of the file.
    const rounded = JSON.stringify(results, (_, value: unknown) =>
      typeof value === 'number' ? Number(value.toPrecision(6)) : value,
    )
    await writeReport(paths, afterPage(JSON.parse(rounded) as AfterResults), rounded, results.seconds)
    return 0
  },
)
