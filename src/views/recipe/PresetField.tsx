import { useMemo, useState } from 'react'
import type { ModelSummary } from '../../../workers/api.ts'
import { plural, t } from '../../language/translate.ts'
import {
  applyKept,
  applyPreset,
  fittingPresets,
  forgetPreset,
  keepPreset,
  useKeptPresets,
} from '../../state/presets/store.ts'

/** Recipes to begin with, and the user's own. */
export function PresetField({ list }: { list: readonly ModelSummary[] }) {
  const kept = useKeptPresets((state) => state.list)
  const [name, setName] = useState('')
  const fitting = useMemo(
    () =>
      fittingPresets(new Set(list.flatMap(({ origin }) => (origin.kind === 'built-in' ? [origin.id] : [])))),
    [list],
  )
  const choose = (value: string) => {
    const preset = fitting.find(({ id }) => `preset ${id}` === value)
    if (preset) applyPreset(preset)
    const own = kept.find((candidate) => `own ${candidate.name}` === value)
    if (own) applyKept(own)
  }
  return (
    <section className="side-section presets" aria-label={t('Presets')}>
      <select aria-label={t('Start from a preset')} value="" onChange={(event) => choose(event.target.value)}>
        <option value="">{t('Start from a preset …')}</option>
        <optgroup label={t('Built in')}>
          {fitting.map(({ id, label, brief }) => (
            <option key={id} value={`preset ${id}`} title={t(brief)}>
              {t(label)}
            </option>
          ))}
        </optgroup>
        {kept.length > 0 && (
          <optgroup label={t('Kept on this machine')}>
            {kept.map((preset) => (
              <option key={preset.name} value={`own ${preset.name}`}>
                {preset.name}
              </option>
            ))}
          </optgroup>
        )}
      </select>
      <details className="preset-keep">
        <summary>
          {kept.length === 0
            ? t('Keep this recipe')
            : plural(kept.length, '{count} kept recipe', '{count} kept recipes')}
        </summary>
        <form
          className="preset-form"
          onSubmit={(event) => {
            event.preventDefault()
            keepPreset(name)
            setName('')
          }}
        >
          <input
            type="text"
            maxLength={80}
            aria-label={t('Name of the recipe')}
            placeholder={t('Name of the recipe')}
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
          <button type="submit" disabled={name.trim() === ''}>
            {t('Keep')}
          </button>
        </form>
        <ul>
          {kept.map((preset) => (
            <li key={preset.name}>
              <span>{preset.name}</span>
              <button
                type="button"
                className="quiet-button"
                aria-label={t('Forget {name}', { name: preset.name })}
                onClick={() => forgetPreset(preset.name)}
              >
                ×
              </button>
            </li>
          ))}
        </ul>
      </details>
    </section>
  )
}
