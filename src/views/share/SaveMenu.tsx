// Saves what a panel shows: its picture as it is seen, its numbers with all their digits. What does it is loaded when
// it is used.

import { useId, useRef } from 'react'
import { t } from '../../language/translate.ts'
import { announce, reportError } from '../../state/actions/errors.ts'
import type { SavedTable } from '../../state/share/tables.ts'

type Form = 'png' | 'svg' | 'csv'

async function save(panel: Element, name: SavedTable, form: Form): Promise<void> {
  const { saveFile } = await import('../../state/share/share.ts')
  if (form === 'csv') {
    const { tableOf } = await import('../../state/share/tables.ts')
    const table = tableOf(name)
    if (table === undefined) announce(t('not measured yet'))
    else saveFile(`alignmerge-${name}.csv`, table, 'text/csv')
    return
  }
  const { pictureOf, pngOf } = await import('./pictureOf.ts')
  const picture = pictureOf(panel)
  if (form === 'svg') saveFile(`alignmerge-${name}.svg`, picture.svg, 'image/svg+xml')
  else saveFile(`alignmerge-${name}.png`, await pngOf(picture))
}

/** Of a choice with its padding, px: enough to know on which side of the button there is room. */
const lineHeight = 34

export interface SaveMenuProps {
  name: SavedTable
  /** of the panel, for those who do not see where the button stands */ label: string
  /** there is a picture beside the numbers */ hasPicture?: boolean
}

/** A button in a panel's head; the panel is the element it stands in. */
export function SaveMenu({ name, label, hasPicture = true }: SaveMenuProps) {
  const id = useId()
  const button = useRef<HTMLButtonElement>(null)
  const menu = useRef<HTMLFieldSetElement>(null)
  const place = () => {
    const box = button.current?.getBoundingClientRect()
    if (!box || !menu.current) return
    const { clientWidth, clientHeight } = document.documentElement
    const pixels = (length: number) => `${Math.round(length)}px`
    // At the foot of the window it opens upwards: nobody can scroll to what is fixed below the edge.
    const isUp = box.bottom + lineHeight * (forms.length + 1) > clientHeight
    Object.assign(menu.current.style, {
      top: isUp ? 'auto' : pixels(box.bottom + 4),
      bottom: isUp ? pixels(clientHeight - box.top + 4) : 'auto',
      right: pixels(clientWidth - box.right),
    })
  }
  const choose = (form: Form) => {
    menu.current?.hidePopover()
    const panel = button.current?.closest('.panel')
    if (panel) save(panel, name, form).catch((error) => reportError(t('Saving'), error))
  }
  const forms: { form: Form; label: string }[] = [
    ...(hasPicture
      ? [
          { form: 'png' as const, label: t('Picture, PNG') },
          { form: 'svg' as const, label: t('Picture, SVG') },
        ]
      : []),
    { form: 'csv', label: t('Numbers, CSV') },
  ]
  return (
    <>
      <button
        ref={button}
        type="button"
        className="quiet-button"
        popoverTarget={id}
        aria-label={t('Save {panel}', { panel: label })}
        onClick={place}
      >
        {t('Save')}
      </button>
      <fieldset
        ref={menu}
        id={id}
        popover="auto"
        className="save-menu"
        aria-label={t('Save {panel}', { panel: label })}
      >
        {forms.map(({ form, label: text }) => (
          <button key={form} type="button" onClick={() => choose(form)}>
            {text}
          </button>
        ))}
      </fieldset>
    </>
  )
}
