import { createRoot } from 'react-dom/client'
import { startStudio } from './state/actions/start.ts'
import { App } from './views/app/App.tsx'
import './views/app/styles.ts'

const root = document.getElementById('root')
if (!root) throw new Error('index.html has no element #root')
createRoot(root).render(<App />)
startStudio()
