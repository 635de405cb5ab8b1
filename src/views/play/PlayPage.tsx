// The playground: a chat with all models at once, the probabilities behind an answer, and the user's own prompts.

import { type ComponentType, lazy, Suspense, useState } from 'react'
import { t } from '../../language/translate.ts'
import { ProbesNotice } from '../app/ProbesNotice.tsx'
import { ChatView } from './ChatView.tsx'
import './play.css'

type Part = 'chat' | 'prompts'

const parts: readonly { id: Part; label: string; View: ComponentType }[] = [
  { id: 'chat', label: 'Chat', View: ChatView },
  { id: 'prompts', label: 'Prompt sets', View: lazy(() => import('./SetsView.tsx')) },
]

/** Where the reader was, for as long as the tab lives. */
let lastPart: Part = 'chat'

export default function PlayPage() {
  const [part, setPart] = useState(lastPart)
  const { View } = parts.find(({ id }) => id === part)!
  const show = (id: Part) => {
    lastPart = id
    setPart(id)
  }
  return (
    <div className="play">
      <header className="play-head">
        <nav className="play-nav" aria-label={t('Parts of this page')}>
          {parts.map(({ id, label }) => (
            <button
              key={id}
              type="button"
              aria-current={id === part ? 'true' : undefined}
              onClick={() => show(id)}
            >
              {t(label)}
            </button>
          ))}
        </nav>
        <p className="muted">
          {t('What is typed or dropped here stays on this machine: nothing is sent, and no link carries it.')}
        </p>
      </header>
      <ProbesNotice onFind={() => show('prompts')} />
      <Suspense fallback={<p className="stage-wait muted">{t('Opening …')}</p>}>
        <View />
      </Suspense>
    </div>
  )
}
