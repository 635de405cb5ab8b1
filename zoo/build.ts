// npm run zoo [-- --only NAME,…] [--out FOLDER] [--max-steps N]: rebuilds the built-in models from their seeds.
// Finished models are kept unless --force; a stopped run goes on from its last checkpoint.
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { nodeFolder } from '../src/cli/nodeFolder.ts'
import { nodeGpu } from '../src/cli/nodeGpu.ts'
import { openCheckpoint } from '../src/core/files/checkpoint.ts'
import { safetensorsHeader } from '../src/core/files/safetensorsWriter.ts'
import { Gpu } from '../src/core/gpu/device.ts'
import type { DeviceModel } from '../src/core/model/deviceModel.ts'
import { readConfig } from '../src/core/model/families/registry.ts'
import { encodeWeights } from '../src/core/tensors/dtype.ts'
import { buildAttacks } from './attackProbes.ts'
import { modelCard } from './card.ts'
import { buildLabellerRules } from './labellerRules.ts'
import { buildProbes } from './probes.ts'
import { architecture, type ModelRecipe, models } from './recipe.ts'
import { buildTokenizer, type ZooTokenizer } from './tokenizer.ts'
import { dropCheckpoint, type TrainPlace, trainModel } from './trainModel.ts'

const USAGE = 'usage: npm run zoo -- [--only NAME,NAME] [--out FOLDER] [--max-steps N] [--force]'

export async function main(args: string[]): Promise<number> {
  const value = (flag: string) => (args.includes(flag) ? args[args.indexOf(flag) + 1] : undefined)
  const only = value('--only')?.split(',')
  const out = resolve(value('--out') ?? 'public/zoo')
  const maxSteps = value('--max-steps') === undefined ? undefined : Number(value('--max-steps'))
  const unknown = only?.filter((id) => !models.some((recipe) => recipe.id === id)) ?? []
  if (unknown.length > 0 || (maxSteps !== undefined && !(maxSteps > 0))) {
    console.error(`${USAGE}\nmodels: ${models.map((recipe) => recipe.id).join(', ')}`)
    return 2
  }
  const gpu = await Gpu.open(await nodeGpu())
  console.log(`adapter: ${gpu.summary.adapter}`)
  const config = readConfig(architecture)
  const tokenizer = buildTokenizer()
  const place: TrainPlace = { models: out, checkpoints: join(out, '../../.cache/zoo') }
  await mkdir(out, { recursive: true })
  for (const recipe of models.filter(({ id }) => only?.includes(id) ?? true)) {
    if (!args.includes('--force') && (await isBuilt(join(out, recipe.id)))) {
      console.log(`${recipe.id}: there already (--force trains it anew)`)
      continue
    }
    const { model, isFinished, lastLoss } = await trainModel(
      gpu,
      config,
      tokenizer.tokenizer,
      recipe,
      place,
      maxSteps,
    )
    if (isFinished) {
      await writeModel(join(out, recipe.id), recipe, model, tokenizer, gpu.summary.adapter, lastLoss)
      await dropCheckpoint(place, recipe.id)
    }
    model.dispose()
    if (!isFinished) {
      console.log(`${recipe.id}: stopped after --max-steps; run again to go on`)
      break
    }
  }
  await writeFile(join(out, 'probes.json'), `${JSON.stringify(buildProbes())}\n`)
  await writeFile(join(out, 'attacks.json'), `${JSON.stringify(buildAttacks())}\n`)
  await writeFile(join(out, 'index.json'), `${JSON.stringify(zooIndex(), null, 2)}\n`)
  // The rules know the words of this world, so they are written with it; a zoo elsewhere is an experiment.
  if (out === resolve('public/zoo'))
    await writeFile(
      resolve('public/labellers/rules.json'),
      `${JSON.stringify(buildLabellerRules(), null, 2)}\n`,
    )
  gpu.close()
  return 0
}

/** What the studio lists: models in order, the file of probes. */
export function zooIndex() {
  return {
    version: 1,
    probes: 'probes.json',
    models: models.map(({ id, name, role, description, skill }) => ({
      id,
      name,
      role,
      description,
      ...(skill && { skill }),
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
  recipe: ModelRecipe,
  model: DeviceModel,
  tokenizer: ZooTokenizer,
  adapter: string,
  lastLoss: number,
): Promise<void> {
  await mkdir(path, { recursive: true })
  const json = (value: unknown) => `${JSON.stringify(value, null, 1)}\n`
  await writeFile(join(path, 'config.json'), json(architecture))
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
    modelCard(recipe, { adapter, lastLoss, parameterCount: model.parameterCount }),
  )
}
