// Lays the prompts that the experiment names into the engine: after it was opened, and whenever another set is named,
// by a link, by undo, or in the playground.

import { t } from '../../language/translate.ts'
import { callEngine } from '../engine.ts'
import { forgetOwnProbes, setOwnProbes, useOwnProbes } from '../ownProbes.ts'
import { readState, useStudio } from '../store.ts'
import { announce, reportError } from './errors.ts'
import { changeExperiment } from './recipe.ts'
import { schedule } from './runner.ts'
import { session } from './session.ts'

/** Looks for the named prompts in this browser. What is known already is not looked for again. */
export async function openOwnProbes(): Promise<void> {
  const asked = readState().recipe.experiment?.probes
  const { connection } = session
  if (!asked || !connection || asked.digest in useOwnProbes.getState().known) return
  setOwnProbes(asked.digest, 'opening')
  try {
    const { findProbes } = await import('../play/storage.ts')
    const found = await findProbes(asked.digest)
    if (!found) {
      setOwnProbes(asked.digest, 'missing')
      announce(t('The prompts “{name}” are not in this browser', { name: asked.name }))
      return
    }
    const { name, use, prompts } = found
    await callEngine(connection, (port) => port.usePrompts(asked.digest, { name, use, prompts }))
    setOwnProbes(asked.digest, 'open')
    schedule()
  } catch (error) {
    // An engine that was closed says nothing of the prompts; the next one is given them anew.
    if (session.connection !== connection) return
    setOwnProbes(asked.digest, 'missing')
    reportError(t('Opening your own prompts'), error)
  }
}

/** Follows the experiment until the returned function is called. */
export function watchOwnProbes(): () => void {
  return useStudio.subscribe((state, before) => {
    const digest = state.recipe.experiment?.probes?.digest
    if (digest !== undefined && digest !== before.recipe.experiment?.probes?.digest) void openOwnProbes()
  })
}

/** After the engine was opened anew. */
export async function reopenOwnProbes(): Promise<void> {
  forgetOwnProbes()
  await openOwnProbes()
}

/** Back to the built-in probes. */
export function measureOnBuiltIn(): void {
  if (!readState().recipe.experiment?.probes) return
  changeExperiment(({ probes: _, ...rest }) => rest)
  announce(t('Measured on the built-in probes'))
}
