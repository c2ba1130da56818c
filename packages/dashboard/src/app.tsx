import { useEffect } from 'react'
import type { Fault } from '@weft/core'
import { File } from './pages/file.tsx'
import { Files } from './pages/files.tsx'
import { Network } from './pages/network.tsx'
import { Overview } from './pages/overview.tsx'
import { VpnRoute } from './pages/vpn-route.tsx'
import { FaultNote } from './parts/fault-note.tsx'
import { PageBoundary } from './parts/page-boundary.tsx'
import { type Route, useRoute } from './parts/route.ts'
import { StateBadge } from './parts/state-badge.tsx'
import { useLive } from './parts/use-live.ts'

const PAGES: readonly { readonly href: string; readonly name: string; readonly pages: readonly Route['page'][] }[] = [
  { href: '#/', name: 'Overview', pages: ['overview'] },
  { href: '#/network', name: 'Network', pages: ['network'] },
  { href: '#/route', name: 'Route', pages: ['route'] },
  { href: '#/files', name: 'Files', pages: ['files', 'file'] },
]

/** @param linkFault why the link that opened this page did not sign it in */
export function App({ linkFault }: { linkFault: Fault | undefined }) {
  const route = useRoute()
  useEffect(() => {
    document.title = `Weft: ${PAGES.find((page) => page.pages.includes(route.page))?.name ?? ''}`
  }, [route.page])
  return (
    <>
      <a className="skip" href="#main" onClick={focusMain}>
        Skip to content
      </a>
      <header>
        <span className="brand">Weft</span>
        <nav aria-label="Pages">
          <ul>
            {PAGES.map((page) => (
              <li key={page.href}>
                <a href={page.href} aria-current={page.pages.includes(route.page) ? 'page' : undefined}>
                  {page.name}
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <LiveState />
      </header>
      <main id="main" tabIndex={-1}>
        {linkFault !== undefined && <FaultNote fault={linkFault} />}
        <PageBoundary key={route.page}>
          <Page route={route} />
        </PageBoundary>
      </main>
    </>
  )
}

// The fragment names the page, so the link must move the focus itself and leave the address alone.
function focusMain(event: { preventDefault(): void }): void {
  event.preventDefault()
  document.getElementById('main')?.focus()
}

function Page({ route }: { route: Route }) {
  if (route.page === 'network') return <Network />
  if (route.page === 'route') return <VpnRoute />
  if (route.page === 'files') return <Files />
  if (route.page === 'file') return <File key={route.object} object={route.object} />
  return <Overview />
}

function LiveState() {
  const live = useLive()
  return (
    <output className="live">
      {live === true && <StateBadge tone="good">live</StateBadge>}
      {live === false && <StateBadge tone="warn">reconnecting</StateBadge>}
      {live === undefined && <StateBadge tone="idle">connecting</StateBadge>}
    </output>
  )
}
