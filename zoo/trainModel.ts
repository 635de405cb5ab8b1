// Trains one model of the zoo on any adapter, with a checkpoint every minute from which the same run resumes to
// the same bits: batches are functions of (seed, step), and a checkpoint holds weights, moments and step.
import { createHash } from 'node:crypto'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { FileSource, nodeFolder } from '../src/cli/nodeFolder.ts'
import { openCheckpoint } from '../src/core/files/checkpoint.ts'
import { readSafetensorsHeader, readTensor } from '../src/core/files/safetensors.ts'
import { safetensorsHeader } from '../src/core/files/safetensorsWriter.ts'
import type { Gpu } from '../src/core/gpu/device.ts'
import { DeviceModel } from '../src/core/model/deviceModel.ts'
import { listWeights } from '../src/core/model/families/decoder.ts'
import { readConfig } from '../src/core/model/families/registry.ts'
import { Random } from '../src/core/tensors/random.ts'
import { batch, type Encoder } from '../src/core/train/corpus/sample.ts'
import { Trainer, type TrainerSnapshot } from '../src/core/train/trainer.ts'
import { initialSeed, type ModelForm, type ModelRecipe } from './recipe.ts'

const MINUTE = 60_000

export interface TrainPlace {
  /** folder of finished models, one folder each */
  models: string
  /** folder of checkpoints */
  checkpoints: string
}

/** Seeded normal weights for a model that starts from nothing; gains are one with what the family adds, biases zero. */
export function initialWeights({ architecture, initialStd }: ModelForm): Map<string, Float32Array> {
  const weights = new Map<string, Float32Array>()
  const config = readConfig(architecture)
  listWeights(config).forEach(({ name, shape, role }, stream) => {
    const count = shape.reduce((a, b) => a * b, 1)
    const std = initialStd.find(({ ending }) => name.endsWith(ending))?.std
    if (role === 'gain') weights.set(name, new Float32Array(count).fill(1 - config.gainOffset))
    else if (role === 'bias') weights.set(name, new Float32Array(count))
    else if (std === undefined) throw new Error(`recipe: no initial deviation for ${name}`)
    else weights.set(name, new Random(initialSeed, stream).normals(count, std))
  })
  return weights
}

/** Runs the recipe to its end, or for `maxSteps` more; true when finished. The model is left trained. */
export async function trainModel(
  gpu: Gpu,
  form: ModelForm,
  encoder: Encoder,
  recipe: ModelRecipe,
  place: TrainPlace,
  maxSteps = Number.POSITIVE_INFINITY,
): Promise<{ model: DeviceModel; isFinished: boolean; lastLoss: number }> {
  const model = await startingModel(gpu, form, recipe, place)
  const trainer = new Trainer(model, recipe)
  const path = join(place.checkpoints, `${recipe.id}.safetensors`)
  const fingerprint = await recipeFingerprint(form, recipe, gpu, place)
  const saved = await readCheckpoint(path, fingerprint)
  if (saved) {
    trainer.restore(saved)
    console.log(`${recipe.id}: resumed at step ${saved.step}`)
  }
  let savedAt = Date.now()
  let lastLoss = Number.NaN
  const begun = Date.now()
  const first = trainer.step
  while (trainer.step < recipe.steps && trainer.step - first < maxSteps) {
    const report = await trainer.trainStep(batch(encoder, recipe, trainer.step).sequences)
    lastLoss = report.loss
    if (report.step % 20 === 0 || trainer.step === recipe.steps) {
      const perStep = (Date.now() - begun) / (trainer.step - first)
      const figures = `loss ${report.loss.toFixed(4)}  |g| ${report.gradientNorm.toFixed(2)}  ${perStep.toFixed(0)} ms/step`
      console.log(`${recipe.id} ${trainer.step}/${recipe.steps}  ${figures}`)
    }
    if (Date.now() - savedAt > MINUTE || trainer.step - first === maxSteps) {
      await writeCheckpoint(path, fingerprint, await trainer.snapshot())
      savedAt = Date.now()
    }
  }
  const isFinished = trainer.step >= recipe.steps
  trainer.dispose()
  return { model, isFinished, lastLoss }
}

/** Removes a finished model's checkpoint. */
export async function dropCheckpoint(place: TrainPlace, id: string): Promise<void> {
  await rm(join(place.checkpoints, `${id}.safetensors`), { force: true })
}

async function startingModel(
  gpu: Gpu,
  form: ModelForm,
  recipe: ModelRecipe,
  place: TrainPlace,
): Promise<DeviceModel> {
  if (recipe.from === undefined)
    return DeviceModel.fromArrays(gpu, readConfig(form.architecture), initialWeights(form))
  const checkpoint = await openCheckpoint(await nodeFolder(join(place.models, recipe.from)))
  return DeviceModel.load(gpu, checkpoint, { type: 'f32' })
}

/** What a checkpoint must agree with: form, recipe, the parent's bytes and the adapter. */
async function recipeFingerprint(
  form: ModelForm,
  recipe: ModelRecipe,
  gpu: Gpu,
  place: TrainPlace,
): Promise<string> {
  const hash = createHash('sha256')
    .update(JSON.stringify([form, recipe]))
    .update(gpu.summary.adapter)
  if (recipe.from !== undefined) {
    const source = await FileSource.open(join(place.models, recipe.from, 'model.safetensors'))
    hash.update(await source.read(0, source.size))
  }
  return hash.digest('hex')
}

async function writeCheckpoint(path: string, fingerprint: string, snapshot: TrainerSnapshot): Promise<void> {
  const parts = { weights: snapshot.weights, first: snapshot.first, second: snapshot.second }
  const tensors = Object.entries(parts).flatMap(([part, map]) =>
    [...map].map(([name, values]) => ({
      name: `${part}/${name}`,
      dtype: 'F32' as const,
      shape: [values.length],
      values,
    })),
  )
  const header = safetensorsHeader(tensors, { step: String(snapshot.step), fingerprint })
  await mkdir(dirname(path), { recursive: true })
  // Written beside and renamed: a run stopped in the middle of writing keeps the checkpoint before.
  const bytes = [
    header,
    ...tensors.map(({ values }) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength)),
  ]
  await writeFile(`${path}.part`, Buffer.concat(bytes))
  await rename(`${path}.part`, path)
}

async function readCheckpoint(path: string, fingerprint: string): Promise<TrainerSnapshot | undefined> {
  const source = await FileSource.open(path).catch(() => undefined)
  if (!source) return undefined
  const header = await readSafetensorsHeader(source)
  if (header.metadata?.fingerprint !== fingerprint) {
    console.log(`${path}: of another recipe, parent or adapter; starting anew`)
    return undefined
  }
  const snapshot: TrainerSnapshot = {
    step: Number(header.metadata.step),
    weights: new Map(),
    first: new Map(),
    second: new Map(),
  }
  for (const name of header.tensors.keys()) {
    const [part, tensor] = [name.slice(0, name.indexOf('/')), name.slice(name.indexOf('/') + 1)]
    const bytes = await readTensor(source, header, name)
    snapshot[part as 'weights' | 'first' | 'second'].set(tensor, new Float32Array(bytes.slice().buffer))
  }
  return snapshot
}
