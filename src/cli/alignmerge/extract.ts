// alignmerge extract BASE TUNED OUT: what a fine-tune or a merge has changed, as a LoRA that PEFT loads.

import { mkdir, readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { EngineError } from '../../core/errors.ts'
import { WEIGHT_TYPES } from '../../core/merge/streamMerge.ts'
import { type ExtractedAdapter, extractAdapter } from '../../core/session/extractAdapter.ts'
import { type Call, type Command, UsageError } from './command.ts'
import { jobOptions } from './engine.ts'
import { writeWhole } from './files.ts'
import { findModel, openModel } from './models.ts'

const RANK = 16
const MAX_RANK = 4096

function readEnergy(call: Call): number | undefined {
  const text = call.text('energy')
  if (text === undefined) return undefined
  const value = Number(text)
  if (!(value > 0 && value <= 1))
    throw new UsageError(`--energy ${text}: expected a share above 0, at most 1`)
  return value
}

/** Makes the folder; `request-invalid` when it holds anything but an adapter that --force replaces. */
async function prepare(folder: string, isForced: boolean): Promise<void> {
  const held = await readdir(folder).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return []
    throw new EngineError('file-missing', `${folder} is no folder that can be written`)
  })
  if (held.length > 0 && !(isForced && held.includes('adapter_config.json')))
    throw new EngineError('request-invalid', `${folder} is not empty; --force replaces an adapter`)
  await mkdir(folder, { recursive: true })
}

const share = (value: number): string => `${(100 * value).toPrecision(4)} %`

function describe(out: string, { tensors, saved, leftOut, byteLength }: ExtractedAdapter): string {
  const rows = tensors.map(({ name, rank, error, bestError }) => {
    const best =
      bestError === undefined ? 'least possible not computed' : `least possible ${share(bestError)}`
    return `  ${name}  rank ${rank}  leaves out ${share(error)}, ${best}`
  })
  const rest = leftOut.length > 0 ? `; left as in the base: ${leftOut.join(', ')}` : ''
  return [
    ...rows,
    `${out}: ${tensors.length} matrices, ${saved.length} whole weights, ${byteLength} bytes of factors${rest}`,
  ].join('\n')
}

export const extract: Command = {
  name: 'extract',
  usage: 'BASE TUNED OUT',
  summary: 'write what TUNED has changed in BASE as a LoRA (PEFT folder)',
  positionals: { min: 3, max: 3 },
  options: {
    models: { value: 'FOLDER', help: 'where models are looked for that are no paths from here' },
    rank: { value: 'N', help: `rank of every matrix; with --energy the most (default ${RANK})` },
    energy: { value: 'SHARE', help: 'per matrix the smallest rank that holds this share of the squares' },
    start: {
      value: 'WORD',
      help: 'difference (default): the change itself; directions: A alone, B = 0, to train from',
    },
    dtype: { value: 'TYPE', help: 'float32 (default), float16 or bfloat16' },
    'no-embeddings': { help: 'leave embedding and head as they are in BASE' },
    exact: { help: 'all singular values of large matrices too: minutes each, and the least possible error' },
    seed: { value: 'N', help: 'of the random subspace for large matrices (default 1)' },
    force: { help: 'replace the adapter in OUT' },
  },
  details: `
For every matrix the error of what is written stands beside the least that any adapter of that rank can leave. Matrices
whose smaller side is above 256 are decomposed in a random subspace (Halko, Martinsson and Tropp 2011, three power
passes), 16 m n (rank + 10) operations each, and their least possible error is not known unless --exact is given.
Gains and biases that differ are written whole (modules_to_save).`,
  async run(call, output, signal) {
    const [baseName, tunedName, target] = call.positionals
    const energy = readEnergy(call)
    const rank = call.count('rank', RANK, 1, MAX_RANK)
    const seed = call.count('seed', 1, 0, 2 ** 32 - 1)
    const start = call.choice('start', ['difference', 'directions'], 'difference')
    const dtype = call.choice('dtype', ['float32', 'float16', 'bfloat16'], 'float32')
    const folder = resolve(target)
    const open = async (name: string) => openModel(await findModel(name, call.text('models')), signal)
    const [base, tuned] = [await open(baseName), await open(tunedName)]
    await prepare(folder, call.has('force'))
    const job = jobOptions(output, signal)
    const found = await extractAdapter(base, tuned, {
      rank,
      energy,
      type: WEIGHT_TYPES[dtype],
      start,
      isExact: call.has('exact'),
      hasEmbeddings: !call.has('no-embeddings'),
      seed,
      signal,
      onProgress: (done, total) => job.onProgress?.('decomposing', done, total),
    })
    for (const entry of found.entries) await writeWhole(join(folder, entry.path), entry.chunks(signal))
    const { tensors, saved, leftOut, byteLength } = found
    const files = found.entries.map(({ path }) => path)
    output.print(
      call.isJson
        ? JSON.stringify({ out: folder, tensors, saved, leftOut, byteLength, files })
        : describe(folder, found),
    )
    return 0
  },
}
