import { languages, t } from '../../language/translate.ts'
import { setTheme, themes } from '../../state/actions/view.ts'
import { openDialog } from '../../state/dialogs.ts'
import { setLanguage, useLanguage } from '../../state/preferences.ts'
import type { Theme } from '../../state/slices/view.ts'
import { useStudio } from '../../state/store.ts'
import { Menu, MenuAction } from './Menu.tsx'

const themeText = (theme: Theme): string =>
  ({
    system: t('As the system'),
    light: t('Light'),
    dark: t('Dark'),
    contrast: t('High contrast'),
  })[theme]

const gear = (
  <svg viewBox="0 0 16 16" aria-hidden="true">
    <path d="M2 4.5h6M12 4.5h2M2 11.5h2M8 11.5h6" />
    <circle cx="10" cy="4.5" r="2" />
    <circle cx="6" cy="11.5" r="2" />
  </svg>
)

/** How the page looks and speaks; kept on this machine. */
export function SettingsMenu() {
  const theme = useStudio((state) => state.view.theme)
  const language = useLanguage((state) => state.id)
  return (
    <Menu label={t('Settings')} title={t('Colours, language, keyboard')} icon={gear}>
      <label className="menu-field">
        {t('Colours')}
        <select value={theme} onChange={(event) => setTheme(event.target.value as Theme)}>
          {themes.map((id) => (
            <option key={id} value={id}>
              {themeText(id)}
            </option>
          ))}
        </select>
      </label>
      <label className="menu-field">
        {t('Language')}
        <select value={language} onChange={(event) => void setLanguage(event.target.value)}>
          {languages.map(({ id, name }) => (
            <option key={id} value={id} lang={id}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <MenuAction
        label={t('Keyboard')}
        brief={t('Every key that does something here')}
        onClick={() => openDialog('shortcuts')}
      />
    </Menu>
  )
}
