import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { openLink } from './api/session.ts'
import { App } from './app.tsx'
import './style.css'

const root = document.getElementById('root')
if (root !== null) {
  const linkFault = await openLink()
  createRoot(root).render(
    <StrictMode>
      <App linkFault={linkFault} />
    </StrictMode>,
  )
}
