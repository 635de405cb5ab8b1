// Sets of prompts: read from files, explained, edited, kept, measured on, handed back. All of it on this machine.

import { EngineError } from '../../core/errors.ts'
import { plural, t } from '../../language/translate.ts'
import { type ProbeUse, promptSetDigest } from '../../share/promptSet.ts'
import { announce, reportError } from '../actions/errors.ts'
import { changeExperiment } from '../actions/recipe.ts'
import { runForeground, schedule } from '../actions/runner.ts'
import { session } from '../actions/session.ts'
import { callEngine } from '../engine.ts'
import { toFailure } from '../failure.ts'
import { areProbesOpen, setOwnProbes } from '../ownProbes.ts'
import { readState } from '../store.ts'
import {
  guessMapping,
  type Mapping,
  type PromptLabel,
  promptsInUse,
  readRows,
  relabel,
  writableLabel,
} from './promptColumns.ts'
import { readTable, readText } from './promptFile.ts'
import { stopRun } from './runSet.ts'
import { deleteSet, keepProbes, listSets, type PromptSet, readSet, writeSet } from './storage.ts'
import { readPlay, setPlay } from './store.ts'

const SAVE_DELAY_MS = 400
/** Changes of labels that can be taken back. */
const MAX_UNDO = 50

let saveTimer: ReturnType<typeof setTimeout> | undefined
let saving: Promise<void> = Promise.resolve()
/** Sets asked for or shown so far: one that was overtaken while it was read is not shown. */
let looks = 0
/** The file that came last. */
let reading: File | undefined

const fail = (error: unknown) => setPlay({ failure: toFailure(error) })

/** What is kept in this browser. */
export async function loadSets(): Promise<void> {
  try {
    setPlay({ sets: await listSets() })
  } catch (error) {
    fail(error)
  }
}

/** Reads a chosen or dropped file; asks about columns that do not say what they are. */
export async function openFile(file: File): Promise<void> {
  const mine = ++looks
  reading = file
  setPlay({ isReading: true, failure: null })
  try {
    const text = await readText(file)
    if (mine === looks) await openText(file.name, text)
  } catch (error) {
    fail(error)
  } finally {
    if (reading === file) setPlay({ isReading: false })
  }
}

/** The same of pasted text. */
export async function openText(name: string, text: string): Promise<void> {
  try {
    setPlay({ failure: null })
    const table = readTable(text, name, { hasHeader: true })
    const { mapping, isSure } = guessMapping(table)
    if (isSure) await takeRows(name, table.columns, mapping, readRows(table, mapping))
    else setPlay({ pending: { name, text, hasHeader: true, table, mapping } })
  } catch (error) {
    fail(error)
  }
}

/** The same file with or without a line of names. */
export function setHeader(hasHeader: boolean): void {
  const { pending } = readPlay()
  if (!pending) return
  const table = readTable(pending.text, pending.name, { hasHeader })
  setPlay({ pending: { ...pending, hasHeader, table, mapping: guessMapping(table).mapping } })
}

export function setMapping(mapping: Mapping): void {
  const { pending } = readPlay()
  if (pending) setPlay({ pending: { ...pending, mapping } })
}

export async function acceptMapping(): Promise<void> {
  const { pending } = readPlay()
  if (!pending) return
  setPlay({ pending: null })
  const { name, table, mapping } = pending
  await takeRows(name, table.columns, mapping, readRows(table, mapping))
}

export const dismissMapping = (): void => setPlay({ pending: null })

async function takeRows(
  name: string,
  columns: string[],
  mapping: Mapping,
  { rows, report }: ReturnType<typeof readRows>,
): Promise<void> {
  if (rows.length === 0) throw new EngineError('file-malformed', t('no row has a prompt'), { file: name })
  const set: PromptSet = {
    ...{ id: crypto.randomUUID(), name, columns, rows, report, savedAt: Date.now() },
    labelColumn: writableLabel(columns, mapping),
  }
  void saveNow()
  showSet(set)
  announce(plural(rows.length, '{count} prompt was read', '{count} prompts were read'))
  await save()
  await takeForExperiment()
  await inspectSet()
}

function showSet(set: PromptSet | null): void {
  looks++
  // A run of a set that nobody sees could be neither watched nor stopped.
  stopRun()
  setPlay({ set, undo: [], filter: { label: 'all', search: '' }, fits: null, run: null, isSaved: true })
}

export async function openSet(id: string): Promise<void> {
  const mine = ++looks
  try {
    await saveNow()
    const set = await readSet(id)
    if (mine !== looks) return
    if (!set) throw new EngineError('file-missing', t('the set is not in this browser any more'))
    setPlay({ failure: null })
    showSet(set)
    await inspectSet()
  } catch (error) {
    fail(error)
  }
}

export function closeSet(): void {
  void saveNow()
  showSet(null)
}

/** Deletes a set with all that was kept of it. What is measured on it now stays until the page is left. */
export async function removeSet(id: string): Promise<void> {
  try {
    if (readPlay().set?.id === id) {
      clearTimeout(saveTimer)
      saveTimer = undefined
      showSet(null)
    }
    await deleteSet(id)
    announce(t('The prompts were deleted from this browser'))
  } catch (error) {
    fail(error)
  }
  await loadSets()
}

function save(): Promise<void> {
  clearTimeout(saveTimer)
  saveTimer = undefined
  const { set } = readPlay()
  if (set) saving = saveSet(set)
  return saving
}

async function saveSet(set: PromptSet): Promise<void> {
  try {
    await writeSet({ ...set, savedAt: Date.now() })
    if (readPlay().set === set) setPlay({ isSaved: true })
    await loadSets()
  } catch (error) {
    fail(error)
  }
}

/** Writes down what waits to be. */
export async function saveNow(): Promise<void> {
  await (saveTimer === undefined ? saving : save())
}

function changeRows(rows: PromptSet['rows']): void {
  const { set } = readPlay()
  if (!set) return
  setPlay({ set: { ...set, rows }, isSaved: false })
  clearTimeout(saveTimer)
  saveTimer = setTimeout(() => void save(), SAVE_DELAY_MS)
}

/** Labels some rows by their places. */
export function setLabels(places: readonly number[], label: PromptLabel): void {
  const { set, undo } = readPlay()
  if (!set || places.length === 0) return
  setPlay({ undo: [...undo, set.rows].slice(-MAX_UNDO) })
  changeRows(relabel(set.rows, places, label))
  if (places.length > 1)
    announce(t('{count} prompts are labelled {label} now', { count: places.length, label: t(label) }))
}

export function undoLabels(): void {
  const { undo } = readPlay()
  const before = undo.at(-1)
  if (!before) return
  setPlay({ undo: undo.slice(0, -1) })
  changeRows(before)
  announce(t('The last change of labels was taken back'))
}

/** Asks the anchor's tokenizer how it reads the open set. */
export async function inspectSet(): Promise<void> {
  const { set } = readPlay()
  const { experiment } = readState().recipe
  if (!set || !experiment || readState().models.engine.kind !== 'ready') return
  const prompts = set.rows.map(({ prompt, label, aligned, misaligned }) => ({
    prompt,
    label: label === 'unsafe' ? label : ('safe' as const),
    ...(aligned !== '' && { aligned }),
    ...(misaligned !== '' && { misaligned }),
  }))
  const fits = await runForeground(
    t('Reading prompts'),
    (port, id) => port.inspectPrompts(id, experiment, prompts),
    { needsGeometry: false },
  )
  if (fits && readPlay().set?.id === set.id) setPlay({ fits })
}

/** The experiment is measured on the open set from now on; a link names it by digest alone. */
export async function measureOnSet(use: ProbeUse): Promise<void> {
  const { set } = readPlay()
  if (!set) return
  const prompts = promptsInUse(set.rows)
  try {
    for (const label of ['safe', 'unsafe'] as const)
      if (!prompts.some((one) => one.label === label))
        throw new EngineError(
          'request-invalid',
          t('AQI and behaviour compare safe with unsafe prompts; no prompt is labelled {label}', {
            label: t(label),
          }),
        )
    const digest = await promptSetDigest(prompts, use)
    await layDown(set, digest, use)
    changeExperiment((experiment) => ({ ...experiment, probes: { name: set.name.slice(0, 200), digest } }))
    announce(t('Measured on “{name}” from now on', { name: set.name }))
  } catch (error) {
    fail(error)
  }
}

async function layDown(set: PromptSet, digest: string, use: ProbeUse): Promise<void> {
  const { connection } = session
  if (!connection) throw new EngineError('device-lost', t('The engine is not open'))
  const probes = { name: set.name, use, prompts: promptsInUse(set.rows) }
  await callEngine(connection, (port) => port.usePrompts(digest, probes))
  setOwnProbes(digest, 'open')
  try {
    // Kept apart from the set: what is measured on must not change when a label does.
    await keepProbes({ ...probes, digest, setId: set.id })
  } catch (error) {
    // It is measured all the same, until the page is left.
    fail(error)
  }
}

/** A set that came after a link that names it: the experiment goes on with it. */
async function takeForExperiment(): Promise<void> {
  const { set } = readPlay()
  const { experiment } = readState().recipe
  if (!set || !experiment?.probes || areProbesOpen(experiment)) return
  for (const use of ['replace', 'add'] as const) {
    if ((await promptSetDigest(promptsInUse(set.rows), use)) !== experiment.probes.digest) continue
    try {
      await layDown(set, experiment.probes.digest, use)
      announce(t('These are the prompts that the link names; measuring goes on'))
      schedule()
    } catch (error) {
      reportError(t('Opening your own prompts'), error)
    }
  }
}
