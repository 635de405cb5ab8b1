// The folder of a merged model on the disk: written beside its target and renamed at the end, so that no half of one is
// ever there under its name. What a stopped or killed merge has written stays beside it, for the next run to go on from.

import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { EngineError } from '../../core/errors.ts'
import type { CheckpointFolder } from '../../core/files/folder.ts'
import * as merged from '../../core/session/mergedFolder.ts'
import { nodeOutput } from '../nodeOutput.ts'

export { mergedConfig } from '../../core/session/mergedFolder.ts'

/** Copies tokenizer files byte for byte, but for a chat template that is given. */
export const copyTokenizer = (from: CheckpointFolder, to: string, template?: string): Promise<void> =>
  merged.copyTokenizer(from, nodeOutput(to), template)

const LOCK = '.lock'

/** When a process began, where the system tells: process ids are used again. Undefined for one that has ended. */
async function beginningOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  // The name in parentheses may hold anything; state and times follow it.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields && fields[0] !== 'Z' ? fields[19] : undefined
}

async function isRunning(pid: number, beginning: string | undefined): Promise<boolean> {
  const found = await beginningOf(pid)
  if (found !== undefined) return beginning === undefined || beginning === '' || found === beginning
  try {
    process.kill(pid, 0)
    // Without /proc the id has to do; with it, what is left is an entry of a process that has ended.
    return (await beginningOf(process.pid)) === undefined
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Takes the folder for this process; `request-invalid` while another one that runs has it. */
async function lock(part: string, target: string): Promise<void> {
  const path = join(part, LOCK)
  const [id, beginning] = (await readFile(path, 'utf8').catch(() => '0')).split(' ')
  const owner = Number(id)
  if (owner > 0 && (await isRunning(owner, beginning)))
    throw new EngineError('request-invalid', `process ${owner} is writing ${target}`)
  await rm(path, { force: true })
  const handle = await open(path, 'wx')
  await handle.writeFile(`${process.pid} ${(await beginningOf(process.pid)) ?? ''}`)
  await handle.close()
}

/**
 * Runs `work` in a folder that becomes `target` when it is done. It stays where it is when work is stopped, to be taken
 * up by the next run, and is gone when work fails.
 */
export async function withTarget<T>(
  target: string,
  isForced: boolean,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const held = await readdir(target).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return []
    throw new EngineError('file-missing', `${target} is no folder that can be written`)
  })
  if (held.length > 0 && !isForced)
    throw new EngineError('request-invalid', `${target} is not empty; --force replaces a model folder`)
  if (held.length > 0 && !held.includes('config.json'))
    throw new EngineError('request-invalid', `${target} holds no model, so --force does not replace it`)
  const part = join(dirname(target), `.${basename(target)}.part`)
  let isOwn = false
  try {
    await mkdir(part, { recursive: true })
    await lock(part, target)
    isOwn = true
    const value = await work(part)
    await rm(join(part, LOCK), { force: true })
    await rm(target, { recursive: true, force: true })
    await rename(part, target)
    return value
  } catch (error) {
    if (isOwn && error instanceof EngineError && error.code === 'cancelled')
      await rm(join(part, LOCK), { force: true })
    else if (isOwn) await rm(part, { recursive: true, force: true })
    if (error instanceof Error && 'syscall' in error)
      throw new EngineError('file-missing', `cannot write ${target}: ${error.message}`)
    throw error
  }
}
