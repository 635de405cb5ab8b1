// Everything that can be done here, by name: what the palette lists. A command is a row.

import { languages, t } from '../../language/translate.ts'
import { methodDeclarations, misfit } from '../../share/methods.ts'
import { choiceParameters, sweepGrid } from '../../share/parameters.ts'
import { copyLink } from '../../state/actions/link.ts'
import { resetExperiment, setEqualWeights, setMethod, setNumber } from '../../state/actions/recipe.ts'
import { askSecondOpinion, canWriteFolder, downloadZip, writeFolder } from '../../state/actions/requests.ts'
import { runAgain, stopAll } from '../../state/actions/runner.ts'
import { askSelfTest } from '../../state/actions/selfTest.ts'
import { setAqiView, setPage, setTheme, toggleTable } from '../../state/actions/view.ts'
import { openDialog } from '../../state/dialogs.ts'
import { nextSteps, redo, undo } from '../../state/history.ts'
import { forgetLayouts } from '../../state/layout.ts'
import { pinCurrent, restorePin, swapPins } from '../../state/pins/actions.ts'
import { setLanguage } from '../../state/preferences.ts'
import { applyKept, applyPreset, fittingPresets, useKeptPresets } from '../../state/presets/store.ts'
import { usePresentation } from '../../state/share/presentation.ts'
import { readState } from '../../state/store.ts'
import { shortcutText } from '../app/shortcuts.ts'
import { pages } from '../pages.ts'

export interface Command {
  /** unique among all commands */
  id: string
  label: string
  keys?: string
  run: () => void
}

export interface CommandGroup {
  label: string
  items: Command[]
}

const pageCommands = (): Command[] =>
  pages.map(({ id, label, title }) => ({
    id: `page ${id}`,
    label: `${t('Go to {page}', { page: t(label) })}: ${t(title)}`,
    run: () => setPage(id),
  }))

function settingCommands(): Command[] {
  const steps = nextSteps()
  const list: Command[] = []
  if (steps.undo !== null)
    list.push({
      id: 'undo',
      label: t('Undo: {words}', { words: steps.undo }),
      keys: shortcutText('Z'),
      run: undo,
    })
  if (steps.redo !== null)
    list.push({
      id: 'redo',
      label: t('Redo: {words}', { words: steps.redo }),
      keys: shortcutText('Z', true),
      run: redo,
    })
  list.push(
    { id: 'equal', label: t('The same weight for every expert'), run: setEqualWeights },
    { id: 'reset', label: t('Back to the default experiment'), run: resetExperiment },
    { id: 'pin a', label: t('Pin as A'), run: () => pinCurrent('a') },
    { id: 'pin b', label: t('Pin as B'), run: () => pinCurrent('b') },
    { id: 'restore a', label: t('Restore the recipe of A'), run: () => restorePin('a') },
    { id: 'restore b', label: t('Restore the recipe of B'), run: () => restorePin('b') },
    { id: 'swap', label: t('Swap A and B'), run: swapPins },
  )
  for (const lambda of sweepGrid)
    list.push({
      id: `lambda ${lambda}`,
      label: t('Set λ_align to {value}', { value: lambda }),
      run: () => setNumber('lambdaAlign', lambda),
    })
  return list
}

function presetCommands(): Command[] {
  const ids = readState().models.list.flatMap(({ origin }) => (origin.kind === 'built-in' ? [origin.id] : []))
  return [
    ...fittingPresets(new Set(ids)).map((preset) => ({
      id: `preset ${preset.id}`,
      label: `${t(preset.label)}: ${t(preset.brief)}`,
      run: () => applyPreset(preset),
    })),
    ...useKeptPresets.getState().list.map((kept) => ({
      id: `kept ${kept.name}`,
      label: kept.name,
      run: () => applyKept(kept),
    })),
  ]
}

function methodCommands(): Command[] {
  const count = readState().recipe.experiment?.experts.length ?? 2
  return methodDeclarations
    .filter((declaration) => !misfit(declaration, count))
    .map(({ id, label, brief }) => ({
      id: `method ${id}`,
      label: `${t('Merge by {method}', { method: t(label) })}: ${t(brief)}`,
      run: () => setMethod(id),
    }))
}

function viewCommands(): Command[] {
  return [
    ...choiceParameters.aqiView.options.map(({ value, label }) => ({
      id: `clusters ${value}`,
      label: t('Clusters of {what}', { what: t(label) }),
      run: () => setAqiView(value),
    })),
    ...(['sweep', 'clusters', 'layers'] as const).map((chart) => ({
      id: `table ${chart}`,
      label: t('Table or picture: {chart}', {
        chart: { sweep: t('sweep'), clusters: t('clusters'), layers: t('drift by layer') }[chart],
      }),
      run: () => toggleTable(chart),
    })),
    { id: 'theme system', label: t('Colours as the system'), run: () => setTheme('system') },
    { id: 'theme light', label: t('Light colours'), run: () => setTheme('light') },
    { id: 'theme dark', label: t('Dark colours'), run: () => setTheme('dark') },
    { id: 'theme contrast', label: t('High contrast'), run: () => setTheme('contrast') },
    ...languages.map(({ id, name }) => ({
      id: `language ${id}`,
      label: `${t('Language')}: ${name}`,
      run: () => void setLanguage(id),
    })),
    {
      id: 'layout',
      label: t('Borders between the parts as at the beginning'),
      run: () => {
        forgetLayouts()
        location.reload()
      },
    },
    { id: 'shortcuts', label: t('Every key that does something here'), run: () => openDialog('shortcuts') },
  ]
}

function actionCommands(): Command[] {
  // As the button in the header: only with something to share, and where a lesson leaves it in.
  const canShare = readState().recipe.experiment !== null && !usePresentation.getState().hidden.has('share')
  const sharing = t('A link with the results, a frame for a lesson, the recipe for other tools')
  return [
    ...(canShare
      ? [{ id: 'share dialog', label: `${t('Share')}: ${sharing}`, run: () => openDialog('share') }]
      : []),
    { id: 'share', label: t('Copy the link'), run: () => void copyLink() },
    { id: 'zip', label: t('Export zip'), run: () => void downloadZip() },
    ...(canWriteFolder()
      ? [{ id: 'folder', label: t('Export to folder'), run: () => void writeFolder() }]
      : []),
    { id: 'opinion', label: t('Second opinion'), run: () => void askSecondOpinion() },
    { id: 'selftest', label: t('Self-test of this adapter'), run: () => void askSelfTest() },
    { id: 'stop', label: t('Stop what is running'), run: stopAll },
    { id: 'again', label: t('Run again'), run: runAgain },
  ]
}

/** All commands as they stand now. */
export const commandGroups = (): CommandGroup[] =>
  [
    { label: t('Pages'), items: pageCommands() },
    { label: t('Presets'), items: presetCommands() },
    { label: t('Settings'), items: settingCommands() },
    { label: t('Methods'), items: methodCommands() },
    { label: t('Actions'), items: actionCommands() },
    { label: t('View'), items: viewCommands() },
  ].filter(({ items }) => items.length > 0)
