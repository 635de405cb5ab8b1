// npm run zoo [-- --family FAMILY] [--only NAME,…] [--out FOLDER] [--max-steps N] [--force]: rebuilds the built-in models, or a
// micro family of another architecture below families/ beside them, from their seeds.
// Finished models are kept unless --force; a stopped run goes on from its last checkpoint.
import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { nodeFolder } from '../src/cli/nodeFolder.ts'
import { nodeGpu } from '../src/cli/nodeGpu.ts'
import { openCheckpoint } from '../src/core/files/checkpoint.ts'
import { safetensorsHeader } from '../src/core/files/safetensorsWriter.ts'
import { Gpu } from '../src/core/gpu/device.ts'
import type { DeviceModel } from '../src/core/model/deviceModel.ts'
import { encodeWeights } from '../src/core/tensors/dtype.ts'
import { buildAttacks } from './attackProbes.ts'
import { modelCard, type TrainingFacts } from './card.ts'
import { families } from './families.ts'
import { buildLabellerRules } from './labellerRules.ts'
import { buildProbes } from './probes.ts'
import { builtInForm, type ModelForm, type ModelRecipe, models } from './recipe.ts'
import { buildTokenizer, type ZooTokenizer } from './tokenizer.ts'
import { dropCheckpoint, type TrainPlace, trainModel } from './trainModel.ts'

const USAGE =
  'usage: npm run zoo -- [--family FAMILY] [--only NAME,NAME] [--out FOLDER] [--max-steps N] [--force]'

export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      family: { type: 'string' },
      only: { type: 'string' },
      out: { type: 'string', default: 'public/zoo' },
      'max-steps': { type: 'string' },
      force: { type: 'boolean', default: false },
    },
  })
  const only = values.only?.split(',')
  const zoo = resolve(values.out)
  const maxSteps = values['max-steps'] === undefined ? undefined : Number(values['max-steps'])
  const isFamily = values.family !== undefined
  const family = families.find(({ id }) => id === values.family)
  const { form, models: recipes } = family ?? { form: builtInForm, models }
  const unknown = only?.filter((id) => !recipes.some((recipe) => recipe.id === id)) ?? []
  if (unknown.length > 0 || (isFamily && !family) || (maxSteps !== undefined && !(maxSteps > 0))) {
    const known = families.map(({ id }) => id).join(', ')
    console.error(`${USAGE}\nmodels: ${recipes.map(({ id }) => id).join(', ')}\nfamilies: ${known}`)
    return 2
  }
  const gpu = await Gpu.open(await nodeGpu())
  console.log(`adapter: ${gpu.summary.adapter}`)
  const tokenizer = buildTokenizer()
  const below = family ? join('families', family.id) : ''
  const place: TrainPlace = { models: join(zoo, below), checkpoints: join(zoo, '../../.cache/zoo', below) }
  await mkdir(place.models, { recursive: true })
  for (const recipe of recipes.filter(({ id }) => only?.includes(id) ?? true)) {
    const path = join(place.models, recipe.id)
    if (!values.force && (await isBuilt(path))) {
      console.log(`${recipe.id}: there already (--force trains it anew)`)
      continue
    }
    const trained = await trainModel(gpu, form, tokenizer.tokenizer, recipe, place, maxSteps)
    const { model, isFinished, lastLoss } = trained
    if (isFinished) {
      await writeModel(path, form, recipe, model, tokenizer, { adapter: gpu.summary.adapter, lastLoss })
      await dropCheckpoint(place, recipe.id)
    }
    model.dispose()
    if (!isFinished) {
      console.log(`${recipe.id}: stopped after --max-steps; run again to go on`)
      break
    }
  }
  gpu.close()
  const digests = await weightDigests(place.models, recipes)
  const index = zooIndex(recipes, family ? '../../probes.json' : 'probes.json', digests)
  await writeFile(join(place.models, 'index.json'), `${JSON.stringify(index, null, 2)}\n`)
  // Families share the world, so probes and rules are those beside the built-in models.
  if (family) return 0
  await writeFile(join(zoo, 'probes.json'), `${JSON.stringify(buildProbes())}\n`)
  await writeFile(join(zoo, 'attacks.json'), `${JSON.stringify(buildAttacks())}\n`)
  // The rules know the words of this world, so they are written with it; a zoo elsewhere is an experiment.
  if (zoo === resolve('public/zoo'))
    await writeFile(
      resolve('public/labellers/rules.json'),
      `${JSON.stringify(buildLabellerRules(), null, 2)}\n`,
    )
  return 0
}

/** SHA-256 of each model's weight file, by id: what a link names its models by. Unbuilt models have none. */
export async function weightDigests(
  folder: string,
  recipes: readonly Pick<ModelRecipe, 'id'>[],
): Promise<Record<string, string>> {
  const digests: Record<string, string> = {}
  for (const { id } of recipes) {
    const bytes = await readFile(join(folder, id, 'model.safetensors')).catch(() => undefined)
    if (bytes) digests[id] = createHash('sha256').update(bytes).digest('hex')
  }
  return digests
}

/** What a zoo folder lists: models in order, the file of probes, both from the folder. */
export function zooIndex(
  recipes: readonly ModelRecipe[],
  probes: string,
  digests: Readonly<Record<string, string>>,
) {
  return {
    version: 1,
    probes,
    models: recipes.map(({ id, name, role, description, skill }) => ({
      id,
      name,
      role,
      description,
      ...(skill && { skill }),
      ...(digests[id] && { digest: digests[id] }),
    })),
  }
}

export async function isBuilt(path: string): Promise<boolean> {
  return nodeFolder(path)
    .then((folder) => openCheckpoint(folder))
    .then(
      () => true,
      () => false,
    )
}

/** Writes a trained model as a Hugging Face folder with its card; weights in bf16. */
export async function writeModel(
  path: string,
  form: ModelForm,
  recipe: ModelRecipe,
  model: DeviceModel,
  tokenizer: ZooTokenizer,
  facts: Pick<TrainingFacts, 'adapter' | 'lastLoss'>,
): Promise<void> {
  await mkdir(path, { recursive: true })
  const json = (value: unknown) => `${JSON.stringify(value, null, 1)}\n`
  await writeFile(join(path, 'config.json'), json(form.architecture))
  await writeFile(join(path, 'tokenizer.json'), json(tokenizer.json))
  await writeFile(join(path, 'tokenizer_config.json'), json(tokenizer.config))
  const tensors = [...model.tensors.values()].map(({ spec }) => ({
    name: spec.name,
    dtype: 'BF16' as const,
    shape: spec.shape,
  }))
  const parts: Uint8Array[] = [safetensorsHeader(tensors, { format: 'pt' })]
  for (const { name } of tensors) parts.push(encodeWeights(await model.read(name), 'bf16'))
  await writeFile(join(path, 'model.safetensors'), Buffer.concat(parts))
  await writeFile(
    join(path, 'README.md'),
    modelCard(recipe, { ...facts, architecture: form.name, parameterCount: model.parameterCount }),
  )
}
