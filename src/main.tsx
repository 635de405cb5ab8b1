import './trusted.ts'
import { createRoot } from 'react-dom/client'
import { startStudio } from './state/actions/start.ts'
import { startOffline } from './state/offline/actions.ts'
import { preferredLanguage, setLanguage } from './state/preferences.ts'
import { Root } from './views/app/Root.tsx'
import './views/app/styles.ts'

const root = document.getElementById('root')
if (!root) throw new Error('index.html has no element #root')
// Whatever starts may have to say something, so the words come first; English has them at once. A catalogue that does
// not arrive leaves the page in English.
void setLanguage(preferredLanguage())
  .catch(() => {})
  .then(() => {
    startStudio()
    createRoot(root).render(<Root />)
    // A service worker between Vite and its reload would answer with yesterday's code.
    if (import.meta.env.PROD) void startOffline()
  })
