// Everything that leaves the page about one merge: its link, a frame for a lesson, its recipe for other tools, its
// card, what to cite, and the merge itself to a hub. Loaded when it is opened.

import { Dialog } from '@base-ui/react/dialog'
import { Tabs } from '@base-ui/react/tabs'
import { t } from '../../language/translate.ts'
import { closeDialog } from '../../state/dialogs.ts'
import { CardTab, CiteTab } from './CardTabs.tsx'
import { EmbedTab, LinkTab } from './LinkTabs.tsx'
import { PushTab } from './PushTab.tsx'
import { RecipeTab } from './RecipeTab.tsx'
import './share.css'

export default function ShareDialog() {
  const tabs = [
    { id: 'link', label: t('Link'), Tab: LinkTab },
    { id: 'embed', label: t('Embed'), Tab: EmbedTab },
    { id: 'recipe', label: t('Recipe'), Tab: RecipeTab },
    { id: 'card', label: t('Model card'), Tab: CardTab },
    { id: 'cite', label: t('Cite'), Tab: CiteTab },
    { id: 'push', label: t('Push to hub'), Tab: PushTab },
  ]
  return (
    <Dialog.Root open onOpenChange={(isOpen) => !isOpen && closeDialog()}>
      <Dialog.Portal>
        <Dialog.Backdrop className="dialog-backdrop" />
        <Dialog.Popup className="dialog-card share-dialog">
          <div className="panel-head">
            <Dialog.Title>{t('Share')}</Dialog.Title>
            <Dialog.Close className="quiet-button">{t('Close')}</Dialog.Close>
          </div>
          <Tabs.Root defaultValue="link">
            <Tabs.List className="share-tabs" aria-label={t('What to share')}>
              {tabs.map(({ id, label }) => (
                <Tabs.Tab key={id} value={id}>
                  {label}
                </Tabs.Tab>
              ))}
            </Tabs.List>
            {tabs.map(({ id, Tab }) => (
              <Tabs.Panel key={id} value={id} className="share-panel">
                <Tab />
              </Tabs.Panel>
            ))}
          </Tabs.Root>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  )
}
