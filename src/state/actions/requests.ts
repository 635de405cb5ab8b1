// What the user asks the engine for once: answers to a prompt, a second opinion, the merged model as files.

import type { Subject } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import { mergeKey } from '../../share/experimentKey.ts'
import { currentMerge } from '../plan.ts'
import { selectCast } from '../selectors.ts'
import { readState, update } from '../store.ts'
import { announce, reportError } from './errors.ts'
import { runForeground } from './runner.ts'

/** The same prompt to anchor, experts and merge. */
export async function askAll(prompt: string): Promise<void> {
  const { experiment } = readState().recipe
  const question = prompt.trim()
  if (!experiment || question === '') return
  const answers = await runForeground(t('Answering the prompt'), (port, id) =>
    port.answer(id, experiment, question),
  )
  if (!answers) return
  update('runs', { answers: { prompt: question, mergeKey: mergeKey(experiment), answers } })
  announce(t('{count} answers have arrived', { count: answers.length }))
}

/** Anchor and merge through another runtime. */
export async function askSecondOpinion(): Promise<void> {
  const { recipe, models } = readState()
  const { experiment } = recipe
  const cast = selectCast(models.list, experiment)
  if (!experiment || !cast) return
  const subjects: { label: string; subject: Subject }[] = [
    { label: cast.anchor.name, subject: { kind: 'model', id: cast.anchor.id } },
    { label: t('Merge'), subject: currentMerge(experiment) },
  ]
  const opinions = await runForeground(t('Second opinion by onnxruntime-web'), async (port, id) => {
    const rows: { label: string; opinion: Awaited<ReturnType<typeof port.secondOpinion>> }[] = []
    for (const { label, subject } of subjects)
      rows.push({ label, opinion: await port.secondOpinion(id, experiment, subject) })
    return rows
  })
  if (!opinions) return
  update('runs', { opinions: { mergeKey: mergeKey(experiment), opinions } })
  announce(
    opinions.every((row) => row.opinion.passed)
      ? t('The second opinion agrees')
      : t('The second opinion disagrees'),
  )
}

/** Hands the merged model to the browser's downloads. */
export async function downloadZip(): Promise<void> {
  const { experiment } = readState().recipe
  if (!experiment) return
  const blob = await runForeground(t('Exporting the merge'), (port, id) => port.exportZip(id, experiment))
  if (!blob) return
  const address = URL.createObjectURL(blob)
  const anchor = document.createElement('a')
  anchor.href = address
  anchor.download = `alignmerge-${mergeKey(experiment)}.zip`
  anchor.click()
  // The download has its own reference to the bytes once it has begun.
  setTimeout(() => URL.revokeObjectURL(address), 60_000)
  announce(t('The merge was exported'))
}

interface DirectoryPicker {
  showDirectoryPicker(options: { mode: 'readwrite' }): Promise<FileSystemDirectoryHandle>
}

function hasDirectoryPicker(scope: object): scope is DirectoryPicker {
  return 'showDirectoryPicker' in scope
}

export const canWriteFolder = (): boolean => hasDirectoryPicker(globalThis)

/** Writes the merged model into a folder of the user's choice. */
export async function writeFolder(): Promise<void> {
  const { experiment } = readState().recipe
  const scope: object = globalThis
  if (!experiment || !hasDirectoryPicker(scope)) return
  let directory: FileSystemDirectoryHandle
  try {
    directory = await scope.showDirectoryPicker({ mode: 'readwrite' })
  } catch (error) {
    // Closing the picker is a decision, not an error.
    if (!(error instanceof DOMException && error.name === 'AbortError'))
      reportError(t('Choosing a folder'), error)
    return
  }
  const files = await runForeground(t('Exporting the merge'), (port, id) =>
    port.exportDirectory(id, experiment, directory),
  )
  if (files)
    announce(t('{count} files were written to {folder}', { count: files.length, folder: directory.name }))
}
