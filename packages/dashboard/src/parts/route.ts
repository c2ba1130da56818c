import { useSyncExternalStore } from 'react'

export type Route =
  | { readonly page: 'overview' }
  | { readonly page: 'network' }
  | { readonly page: 'route' }
  | { readonly page: 'files' }
  | { readonly page: 'file'; readonly object: string }

/** Pages live in the fragment, so that the daemon serves one document and no address leaves the machine. */
export function parseRoute(hash: string): Route {
  const [, page, object] = hash.replace(/^#/, '').split('/')
  if (page === 'network') return { page: 'network' }
  if (page === 'route') return { page: 'route' }
  if (page !== 'files') return { page: 'overview' }
  const decoded = decode(object ?? '')
  return decoded === '' ? { page: 'files' } : { page: 'file', object: decoded }
}

/** Nothing where it is no text: anybody may write a fragment. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}

export function useRoute(): Route {
  const hash = useSyncExternalStore(
    (changed) => {
      window.addEventListener('hashchange', changed)
      return () => window.removeEventListener('hashchange', changed)
    },
    () => window.location.hash,
  )
  return parseRoute(hash)
}
