// Plugging in what scores answers: the shipped rule set at the start, the user's own afterwards. The files stay on
// this machine; a link carries name and digest alone.

import type { ClassifierChoice, LabellerRequest, LabellerSummary } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import { callEngine } from '../engine.ts'
import { readState, update } from '../store.ts'
import { announce, reportError } from './errors.ts'
import { runForeground, schedule } from './runner.ts'
import { session } from './session.ts'

/** Opens what was plugged in last, the shipped rule set at first; without a labeller the studio goes on unlabelled. */
export async function openLabeller(): Promise<void> {
  const { connection } = session
  if (!connection) return
  try {
    const id = session.nextJobId++
    const labeller = await callEngine(connection, (port) => port.setLabeller(id, session.labeller))
    update('models', { labeller })
  } catch (error) {
    // An engine that was closed on purpose is no fault of the labeller's.
    if (session.connection === connection) reportError(t('Opening the labeller'), error)
  }
}

async function plug(label: string, request: LabellerRequest): Promise<LabellerSummary | undefined> {
  const labeller = await runForeground(label, (port, id) => port.setLabeller(id, request), {
    needsGeometry: false,
  })
  if (!labeller) return undefined
  session.labeller = request
  const { name, digest, origin } = labeller
  update('models', { labeller })
  update('view', { labeller: origin === 'built-in' ? null : { name, digest } })
  announce(t('Answers are scored by {name}', { name }))
  schedule()
  return labeller
}

const isGraph = (file: File) => file.name.endsWith('.onnx')

/** A rule set, or the folder of an ONNX classifier: told apart by what is there. */
export async function plugFiles(files: File[]): Promise<void> {
  if (files.length === 0) return
  const isClassifier = files.some(isGraph) || files.length > 1
  await plug(t('Opening the labeller'), { kind: isClassifier ? 'onnx' : 'rules', files })
}

/** The same classifier, other classes or another reading of them. */
export async function chooseClasses(choice: ClassifierChoice): Promise<void> {
  const { labeller: request } = session
  if (request.kind !== 'onnx') return
  await plug(t('Opening the classifier'), { ...request, ...choice })
}

export async function plugShipped(): Promise<void> {
  const { labeller } = readState().models
  if (labeller?.origin === 'built-in') update('view', { labeller: null })
  else await plug(t('Opening the rule set'), { kind: 'built-in' })
}
