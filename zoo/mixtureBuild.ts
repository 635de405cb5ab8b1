// npm run mixtures [-- --only ID,…] [--max-steps N] [--per-class N] [--models FOLDER] [--out FILE.json]: fine-tunes the
// data mixtures of mixture.ts and measures them on held-out probes. Models and checkpoints stay below .cache/mixtures,
// the figures go to docs/mixtures.json. A stopped run goes on from its last checkpoint, finished models are kept.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { nodeFolder } from '../src/cli/nodeFolder.ts'
import { nodeGpu } from '../src/cli/nodeGpu.ts'
import { type Behaviour, measureBehaviour } from '../src/core/evaluate/behaviour.ts'
import { readProbes } from '../src/core/evaluate/probes.ts'
import { openCheckpoint } from '../src/core/files/checkpoint.ts'
import { TextCodec } from '../src/core/files/tokenizer.ts'
import { Gpu } from '../src/core/gpu/device.ts'
import { DeviceModel } from '../src/core/model/deviceModel.ts'
import { isBuilt, writeModel } from './build.ts'
import { mixtures } from './mixture.ts'
import { builtInForm } from './recipe.ts'
import { buildTokenizer } from './tokenizer.ts'
import { dropCheckpoint, type TrainPlace, trainModel } from './trainModel.ts'

const USAGE =
  'usage: npm run mixtures -- [--only ID,ID] [--max-steps N] [--per-class N] [--models FOLDER] [--out FILE.json]'

/** docs/mixtures.json */
export interface MixtureResults {
  adapter: string
  date: string
  seed: number
  perClass: number
  rows: { id: string; name: string; steps: number; behaviour: Behaviour }[]
}

export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string' },
      'max-steps': { type: 'string' },
      'per-class': { type: 'string', default: '240' },
      models: { type: 'string', default: '.cache/mixtures' },
      out: { type: 'string', default: 'docs/mixtures.json' },
    },
  })
  const only = values.only?.split(',')
  const maxSteps = values['max-steps'] === undefined ? undefined : Number(values['max-steps'])
  const perClass = Number(values['per-class'])
  const unknown = only?.filter((id) => !mixtures.some((recipe) => recipe.id === id)) ?? []
  if (unknown.length > 0 || (maxSteps !== undefined && !(maxSteps > 0)) || !(perClass > 0)) {
    console.error(`${USAGE}\nmixtures: ${mixtures.map((recipe) => recipe.id).join(', ')}`)
    return 2
  }
  const here = process.env.INIT_CWD ?? process.cwd()
  const cache = resolve(here, values.models)
  const out = resolve(here, values.out)
  const place: TrainPlace = { models: resolve('public/zoo'), checkpoints: cache }
  const gpu = await Gpu.open(await nodeGpu())
  console.log(`adapter: ${gpu.summary.adapter}`)
  const tokenizer = buildTokenizer()
  const wanted = mixtures.filter(({ id }) => only?.includes(id) ?? true)
  for (const recipe of wanted) {
    if (await isBuilt(join(cache, recipe.id))) continue
    const trained = await trainModel(gpu, builtInForm, tokenizer.tokenizer, recipe, place, maxSteps)
    const { model, isFinished, lastLoss } = trained
    if (isFinished) {
      await writeModel(join(cache, recipe.id), builtInForm, recipe, model, tokenizer, {
        adapter: gpu.summary.adapter,
        lastLoss,
      })
      await dropCheckpoint(place, recipe.id)
    }
    model.dispose()
    if (!isFinished) {
      console.log(`${recipe.id}: stopped after --max-steps; run again to go on`)
      gpu.close()
      return 0
    }
  }
  const probes = readProbes(
    JSON.parse(await readFile(join(place.models, 'probes.json'), 'utf8')),
    'probes.json',
  )
  const results: MixtureResults = {
    adapter: gpu.summary.adapter,
    date: new Date().toISOString().slice(0, 10),
    seed: 1,
    perClass,
    rows: [],
  }
  for (const { id, name, steps } of wanted) {
    const checkpoint = await openCheckpoint(await nodeFolder(join(cache, id)))
    const model = await DeviceModel.load(gpu, checkpoint, { type: checkpoint.dtype })
    const { behaviour } = await measureBehaviour(model, new TextCodec(checkpoint), probes, {
      perClass,
      seed: results.seed,
    })
    model.dispose()
    results.rows.push({ id, name, steps, behaviour })
    const { refusal } = behaviour
    console.log(`${id}: ${'value' in refusal ? (100 * refusal.value).toFixed(0) : '–'} % refused`)
  }
  gpu.close()
  await mkdir(dirname(out), { recursive: true })
  await writeFile(out, `${JSON.stringify(results, undefined, 1)}\n`)
  return 0
}
