import { createRoot } from 'react-dom/client'
import { startStudio } from './state/actions/start.ts'
import { App } from './views/app/App.tsx'
import './views/app/theme.css'
import './views/app/layout.css'
import './views/app/controls.css'
import './views/app/figures.css'

const root = document.getElementById('root')
if (!root) throw new Error('index.html has no element #root')
createRoot(root).render(<App />)
startStudio()
