import './trusted.ts'
import { createRoot } from 'react-dom/client'
import { startStudio } from './state/actions/start.ts'
import { App } from './views/app/App.tsx'
import './views/app/styles.ts'

const root = document.getElementById('root')
if (!root) throw new Error('index.html has no element #root')
createRoot(root).render(<App />)
startStudio()
// A service worker between Vite and its reload would answer with yesterday's code.
if (import.meta.env.PROD) void import('./state/offline/actions.ts').then((offline) => offline.startOffline())
