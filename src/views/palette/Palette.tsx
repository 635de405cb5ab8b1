// The command palette: type a few letters, press Enter. Loaded when it is first opened.

import { Autocomplete } from '@base-ui/react/autocomplete'
import { Dialog } from '@base-ui/react/dialog'
import { useMemo } from 'react'
import { t } from '../../language/translate.ts'
import { closeDialog } from '../../state/dialogs.ts'
import { type Command, type CommandGroup, commandGroups } from './commands.ts'
import './palette.css'

/** Every word that was typed occurs somewhere, in any order. */
export function matches(label: string, query: string): boolean {
  const text = label.toLocaleLowerCase()
  return query
    .toLocaleLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word))
}

export default function Palette() {
  const groups = useMemo(commandGroups, [])
  return (
    <Dialog.Root open onOpenChange={(isOpen) => !isOpen && closeDialog()}>
      <Dialog.Portal>
        <Dialog.Backdrop className="dialog-backdrop" />
        <Dialog.Popup className="palette" aria-label={t('Commands')}>
          <Autocomplete.Root
            open
            inline
            items={groups}
            filter={(item: Command, query: string) => matches(item.label, query)}
            itemToStringValue={(item: Command) => item.label}
            autoHighlight="always"
            keepHighlight
          >
            <Autocomplete.Input
              className="palette-input"
              aria-label={t('Search commands')}
              placeholder={t('What would you like to do?')}
            />
            <Dialog.Close className="visually-hidden">{t('Close')}</Dialog.Close>
            <Autocomplete.Empty>
              <p className="palette-empty muted">{t('No command has these words.')}</p>
            </Autocomplete.Empty>
            <Autocomplete.List className="palette-list">
              {(group: CommandGroup) => (
                <Autocomplete.Group key={group.label} items={group.items}>
                  <Autocomplete.GroupLabel className="palette-group">{group.label}</Autocomplete.GroupLabel>
                  <Autocomplete.Collection>
                    {(item: Command) => (
                      <Autocomplete.Item
                        key={item.id}
                        value={item}
                        className="palette-item"
                        onClick={() => {
                          closeDialog()
                          item.run()
                        }}
                      >
                        <span>{item.label}</span>
                        {item.keys && <kbd>{item.keys}</kbd>}
                      </Autocomplete.Item>
                    )}
                  </Autocomplete.Collection>
                </Autocomplete.Group>
              )}
            </Autocomplete.List>
          </Autocomplete.Root>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  )
}
